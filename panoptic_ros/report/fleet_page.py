# SPDX-License-Identifier: Apache-2.0
"""The page about a folder of labelled bags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from panoptic_ros.report.template import filled, write_html

TEMPLATE = "fleet_page.html.j2"


def write_fleet_page(
    path: Path,
    title: str,
    found: Mapping[str, Any],
    slowest: Sequence[Mapping[str, Any]],
    hard: Sequence[Any],
    links: Mapping[str, str],
) -> None:
    """Write the page.

    Args:
        path: The file.
        title: Its headline.
        found: The summary, as ``FleetSummary.document`` writes it.
        slowest: Rows of the slowest bags.
        hard: Frames to look at, with kind, value, id, topic and stamp_ns.
        links: Address of the page of a bag, by the bag's id, relative to this one.

    Raises:
        ConfigError: Jinja2 is not installed.
        DataError: The file cannot be written.
    """
    kinds = list(dict.fromkeys(frame.kind for frame in hard))
    content = {
        "title": title,
        "found": found,
        "classes": _bars(found["class_hours"]),
        "objects": _bars(found["objects_per_hour"]),
        "slowest": slowest,
        "hard": {kind: [frame for frame in hard if frame.kind == kind] for kind in kinds},
        "links": links,
    }
    write_html(path, filled(TEMPLATE, content))


def _bars(values: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """Name, value, and percent of the largest value."""
    most = max(values.values(), default=0.0) or 1.0
    return [(name, value, round(100 * value / most, 1)) for name, value in values.items()]
