# SPDX-License-Identifier: Apache-2.0
"""Scores as tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from panoptic_ros.core.errors import counted
from panoptic_ros.evaluation.headings import (
    COUNTS,
    DRIVABLE_HEADS,
    GROUP_HEADS,
    HEADS,
    OBJECT_HEADS,
    SHARE_HEADS,
)

if TYPE_CHECKING:
    from rich.table import Table


def show(found: dict[str, Any]) -> None:
    """Print what ``document`` wrote."""
    from rich.console import Console

    # Paths and class names may hold brackets.
    console = Console(markup=False)
    title = f"{found['subject']}, {counted(found['images'], 'image')}"
    caption = f"truth: {found['truth']}"
    if "classes" in found:
        console.print(_class_table(found, title, caption))
    else:
        console.print(title, caption, sep="\n")
    for key, table in (
        ("tracking", _sequence_table),
        ("video", _video_table),
        ("objects", _object_table),
        ("drivable", _drivable_table),
        ("drivable", _share_table),
        ("calibration", _calibration_table),
        ("groups", _group_table),
    ):
        if key in found:
            console.print(table(found))
    for remark in found["remarks"]:
        console.print(remark)


def _table(title: str, caption: str, heads: Collection[str]) -> Table:
    from rich.table import Table

    table = Table(title=title, caption=caption)
    first, *others = heads
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _class_table(found: dict[str, Any], title: str, caption: str) -> Table:
    lines = found["classes"]
    scores = {key: head for key, head in HEADS.items() if key in lines[0]}
    counts = {key: head for key, head in COUNTS.items() if key in lines[0]}
    remark = f"{caption}\npercent; - where truth and prediction have none"
    table = _table(title, remark, ["class", *scores.values(), *counts.values()])
    for name, mean in _means(found).items():
        table.add_row(name, *(_percent(mean.get(key)) for key in scores), style="bold")
    table.add_section()
    for line in lines:
        values = [*(_percent(line[key]) for key in scores), *(str(line[key]) for key in counts)]
        table.add_row(line["name"], *values)
    return table


def _means(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The means over classes by what they are over."""
    means = {
        f"{name} ({mean['classes']})": dict(mean)
        for name, mean in found.get("panoptic", {}).items()
    } or {"all": {}}
    first = next(iter(means.values()))
    if "semantic" in found:
        first["iou"] = found["semantic"]["miou"]
    if "label_map" in found:
        first["label_iou"] = found["label_map"]["miou"]
    if "boundary" in found:
        first["biou"] = found["boundary"]["biou"]
    return means


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _sequence_table(found: dict[str, Any]) -> Table:
    tracking = found["tracking"]
    table = _table("over time", "percent", ["sequence", "STQ", "AQ", "SQ", "frames"])
    for name, part in (("all", tracking), *tracking["sequences"].items()):
        scores = [part[key] for key in ("stq", "aq", "sq")]
        table.add_row(name or ".", *map(_percent, scores), str(part["frames"]))
    return table


def _video_table(found: dict[str, Any]) -> Table:
    table = _table("tubes over windows of frames", "percent", ["frames", "VPQ"])
    for length, value in found["video"]["windows"].items():
        table.add_row(f"VPQ of {length}", _percent(value))
    for key, name in (("vpq", "VPQ"), ("vpq_things", "things"), ("vpq_stuff", "stuff")):
        table.add_row(name, _percent(found["video"][key]), style="bold")
    return table


def _object_table(found: dict[str, Any]) -> Table:
    objects = found["objects"]
    heads = {
        key: head for key, head in OBJECT_HEADS.items() if key in next(iter(objects.values()))
    }
    remark = "percent, - where there is no object; switches: a count"
    table = _table("objects over time", remark, ["class", *heads.values()])
    for name, part in objects.items():
        values = [str(part[key]) if key == "id_switches" else _percent(part[key]) for key in heads]
        table.add_row(name, *values)
    return table


def _drivable_table(found: dict[str, Any]) -> Table:
    drivable = found["drivable"]
    table = _table("drivable surface", "in percent; boundary errors in pixels", ["score", "value"])
    for key, head in DRIVABLE_HEADS.items():
        if key != "flicker" or drivable[key] is not None:
            table.add_row(head, _percent(drivable[key]))
    error = drivable["boundary_px"]
    table.add_row("boundary error, px per column", "-" if error is None else f"{error:.1f}")
    return table


def _share_table(found: dict[str, Any]) -> Table:
    """Who calls which true pixels drivable."""
    table = _table("pixels called drivable", "percent", ["by", *SHARE_HEADS.values()])
    for key, name in (("surface", "the surface"), ("label_map", "the classes")):
        values = found["drivable"][key]
        table.add_row(name, *(_percent(values[head]) for head in SHARE_HEADS))
    return table


def _group_table(found: dict[str, Any]) -> Table:
    """The headline scores of the images that have a field in common."""
    groups = found["groups"]
    heads = {
        key: head
        for key, head in GROUP_HEADS.items()
        if any(_headline(part, key) is not None for part in groups["values"].values())
    }
    field = groups["field"]
    table = _table(f"by {field}", "percent", [field, "images", *heads.values()])
    table.columns[0].overflow = "fold"
    for value, part in groups["values"].items():
        scores = (_percent(_headline(part, key)) for key in heads)
        table.add_row(value, str(part["images"]), *scores)
    return table


def _headline(part: dict[str, Any], keys: tuple[str, ...]) -> float | None:
    """The value below some keys, None where there is none."""
    value: Any = part
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return None if value is None else float(value)


def _calibration_table(found: dict[str, Any]) -> Table:
    calibration = found["calibration"]
    caption = (
        f"expected calibration error {_percent(calibration['error'])} %, largest "
        f"{_percent(calibration['largest_error'])} %"
    )
    heads = ["confidence", "accuracy", "pixels"]
    table = _table("confidence image, percent", caption, heads)
    for entry in calibration["bins"]:
        table.add_row(
            _percent(entry["confidence"]), _percent(entry["accuracy"]), f"{entry['pixels']:,}"
        )
    return table
