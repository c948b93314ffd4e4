# SPDX-License-Identifier: Apache-2.0
"""From a run's record to one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from panoptic_ros.core.overlay import track_color
from panoptic_ros.report import charts
from panoptic_ros.report.record import DROPPED_AT, RunRecord, TrackHistory, rounded_percentiles
from panoptic_ros.report.samples import Sample
from panoptic_ros.report.template import filled, write_html

TEMPLATE = "page.html.j2"
MOST_ROWS = 60
"""Tracks in the timeline; the longest are shown."""


def write_page(
    path: Path,
    record: RunRecord,
    samples: Sequence[Sample],
    doubtful: Sequence[tuple[float, Sample]] = (),
) -> None:
    """Write the report.

    Args:
        path: The page.
        record: The run in numbers.
        samples: Frames to show.
        doubtful: Frames of least confidence, with their mean confidence.

    Raises:
        ConfigError: Jinja2 is not installed.
        DataError: The file cannot be written.
    """
    write_html(path, render(record, samples, doubtful))


def render(
    record: RunRecord, samples: Sequence[Sample], doubtful: Sequence[tuple[float, Sample]] = ()
) -> str:
    """Make the page; it needs no other file and no network.

    Raises:
        ConfigError: Jinja2 is not installed.
    """
    return filled(TEMPLATE, {**_content(record, samples), "doubtful": _doubtful(record, doubtful)})


def _content(record: RunRecord, samples: Sequence[Sample]) -> dict[str, Any]:
    stats = record.stats()
    first_ns = record.frames[0].stamp_ns if record.frames else 0
    tracks = record.tracks()
    return {
        "record": record,
        "stats": stats,
        "lost_at": DROPPED_AT,
        "seconds": record.times_s()[-1] if record.frames else 0.0,
        "tiles": _tiles(stats),
        "moments": [(sample, (sample.stamp_ns - first_ns) / 1e9) for sample in samples],
        "legend": _legend(record, stats),
        "stages": _stage_bars(stats["stages_ms"]),
        "latency_line": _latency_line(record),
        "latency_bars": _latency_bars(record),
        "timeline": _timeline(record, tracks),
        "track_count": len(tracks),
        "hidden_tracks": max(0, len(tracks) - MOST_ROWS),
        "objects": _objects(record, stats),
        "objects_line": _objects_line(record),
        "shares": _shares(record),
        "drivable_line": _drivable_line(record),
    }


def _doubtful(
    record: RunRecord, doubtful: Sequence[tuple[float, Sample]]
) -> list[tuple[Sample, float, float]]:
    """Frames of least confidence with their second and confidence in percent."""
    first_ns = record.frames[0].stamp_ns if record.frames else 0
    return [
        (sample, (sample.stamp_ns - first_ns) / 1e9, 100 * confidence)
        for confidence, sample in doubtful
    ]


def _tiles(stats: dict[str, Any]) -> list[tuple[str, str]]:
    latency = stats["latency_ms"]
    return [
        ("frames in", f"{stats['frames']['in']}"),
        ("processed", f"{stats['frames']['processed']}"),
        ("without a result", f"{stats['frames']['dropped']}"),
        ("p50 ms", f"{latency['p50']:.1f}"),
        ("p95 ms", f"{latency['p95']:.1f}"),
        ("p99 ms", f"{latency['p99']:.1f}"),
        ("tracks", f"{stats['tracks']['count']}"),
        ("drivable", f"{100 * stats['drivable_share']:.1f} %"),
    ]


def _legend(record: RunRecord, stats: dict[str, Any]) -> list[tuple[str, str]]:
    present = stats["class_shares"]
    return [
        (entry.name, _css(entry.color)) for entry in record.labels.labels if entry.name in present
    ]


def _stage_bars(stages: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    most = max((max(entry.values()) for entry in stages.values()), default=0.0) or 1.0
    return [
        {
            "name": name,
            **entry,
            "widths": {key: round(100 * value / most, 2) for key, value in entry.items()},
        }
        for name, entry in stages.items()
    ]


def _latency_line(record: RunRecord) -> str:
    values = [facts.latency_ms for facts in record.frames]
    series = [charts.Series("latency", values, "var(--accent)")]
    return charts.line_chart(record.times_s(), series, "seconds", "ms")


def _latency_bars(record: RunRecord) -> str:
    values = [facts.latency_ms for facts in record.frames]
    return charts.histogram(values, "ms", list(rounded_percentiles(values).items()))


def _timeline(record: RunRecord, tracks: Sequence[TrackHistory]) -> str:
    longest = sorted(tracks, key=lambda track: -track.frames)[:MOST_ROWS]
    rows = [_row(record, track) for track in sorted(longest, key=lambda one: one.spans_s[0][0])]
    times = record.times_s()
    return charts.timeline(rows, times[-1] if times else 0.0, "seconds")


def _row(record: RunRecord, track: TrackHistory) -> charts.Row:
    name = f"{record.label_name(track.label)} {track.id}"
    return charts.Row(name, _css(track_color(track.id)), track.spans_s)


def _objects(record: RunRecord, stats: dict[str, Any]) -> list[dict[str, Any]]:
    by_class = stats["tracks"]["by_class"]
    return [
        {"name": name, "tracks": by_class.get(name, 0), "color": _class_css(record, name), **entry}
        for name, entry in stats["objects_per_frame"].items()
    ]


def _objects_line(record: RunRecord) -> str:
    counts = {record.label_name(label): values for label, values in record.counts().items()}
    series = [
        charts.Series(name, values, _line_css(record, name)) for name, values in counts.items()
    ]
    return charts.line_chart(record.times_s(), series, "seconds", "objects")


def _shares(record: RunRecord) -> str:
    present = sorted({label for facts in record.frames for label in facts.class_shares})
    series = [
        charts.Series(
            record.label_name(label),
            [facts.class_shares.get(label, 0.0) for facts in record.frames],
            _class_css(record, record.label_name(label)),
        )
        for label in present
    ]
    return charts.stacked_chart(record.times_s(), series, "seconds")


def _drivable_line(record: RunRecord) -> str:
    values = [100 * facts.drivable_share for facts in record.frames]
    series = [charts.Series("drivable", values, "var(--good)")]
    return charts.line_chart(record.times_s(), series, "seconds", "% of the image")


def _line_css(record: RunRecord, name: str) -> str:
    """A class's colour, lighter where a thin line of it would vanish on a dark page."""
    return f"color-mix(in srgb, {_class_css(record, name)} 65%, #b0b8ff)"


def _class_css(record: RunRecord, name: str) -> str:
    found = [entry.color for entry in record.labels.labels if entry.name == name]
    return _css(found[0]) if found else "#888"


def _css(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
