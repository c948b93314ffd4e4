# SPDX-License-Identifier: Apache-2.0
"""The page above the reports of several cameras that ran at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from panoptic_ros.report.record import DROPPED_AT, RunRecord
from panoptic_ros.report.samples import Sample
from panoptic_ros.report.template import filled, write_html

TEMPLATE = "overview.html.j2"


def write_overview(
    path: Path, cameras: Mapping[str, tuple[RunRecord, Sequence[Sample]]], title: str
) -> None:
    """Write the page; it links each camera's ``<name>/report.html`` beside it.

    Args:
        path: The page.
        cameras: Record and images of each camera by name.
        title: Of the page.

    Raises:
        ConfigError: Jinja2 is not installed.
        DataError: The file cannot be written.
    """
    rows = [_row(name, record, samples) for name, (record, samples) in cameras.items()]
    first = next(iter(cameras.values()))[0]
    content = {
        "title": title,
        "engine": first.engine,
        "latency_meaning": first.latency_meaning,
        "rows": rows,
        "lost_at": DROPPED_AT,
    }
    write_html(path, filled(TEMPLATE, content))


def _row(name: str, record: RunRecord, samples: Sequence[Sample]) -> dict[str, Any]:
    stats = record.stats()
    times = record.times_s()
    seconds = times[-1] if times else 0.0
    return {
        "name": name,
        "source": record.source,
        "frames": stats["frames"],
        "rate": (len(times) - 1) / seconds if seconds else 0.0,
        "latency": stats["latency_ms"],
        "tracks": stats["tracks"]["count"],
        "drivable": stats["drivable_share"],
        "moment": samples[len(samples) // 2] if samples else None,
    }
