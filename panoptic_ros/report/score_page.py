# SPDX-License-Identifier: Apache-2.0
"""From scores to one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.overlay import track_color
from panoptic_ros.evaluation.headings import COUNTS, DRIVABLE_HEADS, HEADS, OBJECT_HEADS
from panoptic_ros.metrics.id_history import MISSED, IdHistory
from panoptic_ros.report import charts
from panoptic_ros.report.template import filled, write_html
from panoptic_ros.report.worst_images import WorstImage

TEMPLATE = "score_page.html.j2"
MOST_ROWS, MOST_SEQUENCES = 36, 8

IdHistories = Mapping[str, Mapping[str, Sequence[IdHistory]]]
"""Histories by class name by sequence."""


def write_score_page(
    path: Path,
    found: dict[str, Any],
    labels: LabelSet,
    worst: Sequence[WorstImage],
    qualities: Sequence[float],
    id_histories: IdHistories,
) -> None:
    """Write the page.

    Args:
        path: The file.
        found: The scores, as ``scores.document`` wrote them.
        labels: The classes, for their colours.
        worst: The worst images.
        qualities: Panoptic quality of every image, 0..1.
        id_histories: What became of every object of sequences.

    Raises:
        ConfigError: Jinja2 is not installed.
        DataError: The file cannot be written.
    """
    content = {
        "found": found,
        **{part: found.get(part) for part in ("tracking", "video", "objects", "calibration")},
        "tiles": _tiles(found),
        "heads": {key: name for key, name in HEADS.items() if _has(found, key)},
        "counts": {key: name for key, name in COUNTS.items() if _has(found, key)},
        "classes": _classes(found, labels),
        "worst": worst,
        "legend": _legend(found, labels),
        "spread": charts.histogram(
            [100 * value for value in qualities], "PQ of an image", [], "images"
        ),
        "timelines": _timelines(id_histories),
        "hidden_sequences": max(0, len(id_histories) - MOST_SEQUENCES),
        "object_heads": _object_heads(found),
        "drivable": _drivable(found),
        "reliability": _reliability(found),
    }
    write_html(path, filled(TEMPLATE, content))


def _has(found: dict[str, Any], key: str) -> bool:
    return bool(found.get("classes")) and key in found["classes"][0]


TILES = (
    ("PQ", ("panoptic", "all", "pq")),
    ("PQ things", ("panoptic", "things", "pq")),
    ("PQ stuff", ("panoptic", "stuff", "pq")),
    ("mIoU", ("semantic", "miou")),
    ("mIoU of the label image", ("label_map", "miou")),
    ("boundary IoU", ("boundary", "biou")),
    ("STQ", ("tracking", "stq")),
    ("AQ", ("tracking", "aq")),
    ("VPQ", ("video", "vpq")),
    ("drivable IoU", ("drivable", "iou")),
    ("calibration error", ("calibration", "error")),
)


def _tiles(found: dict[str, Any]) -> list[tuple[str, str]]:
    tiles = [("images", str(found["images"]))]
    for name, keys in TILES:
        value: Any = found
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            tiles.append((name, f"{100 * value:.1f}"))
    return tiles


def _classes(found: dict[str, Any], labels: LabelSet) -> list[dict[str, Any]]:
    """Lines of the table; classes that never occur are left out."""
    colors = {entry.name: _css(entry.color) for entry in labels.labels}
    keys = [key for key in ("pq", "iou", "label_iou", "biou") if _has(found, key)]
    return [
        {
            **line,
            "color": colors.get(line["name"], "#888"),
            "bars": [(key, round(100 * (line[key] or 0.0), 1)) for key in keys],
        }
        for line in found.get("classes", ())
        if any(line[key] is not None for key in keys)
    ]


def _legend(found: dict[str, Any], labels: LabelSet) -> list[tuple[str, str]]:
    there = {line["name"] for line in _classes(found, labels)}
    return [
        (entry.name, _css(entry.color))
        for entry in labels.labels
        if entry.name in there or not found.get("classes")
    ]


def _object_heads(found: dict[str, Any]) -> dict[str, str]:
    objects = list(found.get("objects", {}).values())
    return {key: name for key, name in OBJECT_HEADS.items() if objects and key in objects[0]}


def _drivable(found: dict[str, Any]) -> list[tuple[str, str]]:
    drivable = found.get("drivable")
    if drivable is None:
        return []
    lines = [
        (name, f"{100 * drivable[key]:.1f} %")
        for key, name in DRIVABLE_HEADS.items()
        if drivable[key] is not None
    ]
    if drivable["boundary_px"] is not None:
        lines.append(("boundary error per column", f"{drivable['boundary_px']:.1f} px"))
    return lines


def _reliability(found: dict[str, Any]) -> str:
    bins = found.get("calibration", {}).get("bins", ())
    sure = [entry["confidence"] for entry in bins]
    series = [
        charts.Series("as it should be", sure, "var(--soft)"),
        charts.Series("accuracy", [entry["accuracy"] for entry in bins], "var(--accent)"),
    ]
    return charts.line_chart(sure, series, "confidence", "share that is right")


def _timelines(id_histories: IdHistories) -> list[dict[str, Any]]:
    """Charts of the sequences with the most switches."""
    told = [_timeline(sequence, by_class) for sequence, by_class in id_histories.items()]
    return sorted(told, key=lambda one: -one["switches"])[:MOST_SEQUENCES]


def _timeline(sequence: str, by_class: Mapping[str, Sequence[IdHistory]]) -> dict[str, Any]:
    all_histories = [(name, history) for name, group in by_class.items() for history in group]
    ranked = sorted(all_histories, key=lambda one: (-len(one[1].switches), -one[1].frames))
    kept = sorted(ranked[:MOST_ROWS], key=lambda one: one[1].spans[0].first)
    end = max((history.spans[-1].last + 1 for _, history in all_histories), default=0)
    return {
        "name": sequence or ".",
        "objects": len(all_histories),
        "hidden": max(0, len(all_histories) - MOST_ROWS),
        "switches": sum(len(history.switches) for _, history in all_histories),
        "chart": charts.ribbons([_ribbon(name, history) for name, history in kept], end, "frame"),
    }


def _ribbon(name: str, history: IdHistory) -> charts.Ribbon:
    pieces = [
        (float(part.first), float(part.last + 1), "var(--line)", f"missed, {_frames(part)}")
        if part.predicted == MISSED
        else (
            float(part.first),
            float(part.last + 1),
            _css(track_color(part.predicted)),
            f"found as {part.predicted}, {_frames(part)}",
        )
        for part in history.spans
    ]
    marks = [(float(frame), f"another id in frame {frame}") for frame in history.switches]
    return charts.Ribbon(f"{name} {history.id}", pieces, marks)


def _frames(part: Any) -> str:
    return f"frames {part.first} to {part.last}"


def _css(color: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
