# SPDX-License-Identifier: Apache-2.0
"""Scores as JSON values and as tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from panoptic_ros.metrics.object_tracking import ObjectTrackingResult
    from panoptic_ros.metrics.runner import Report
    from panoptic_ros.metrics.sequence_runner import SequenceReport
    from panoptic_ros.metrics.tracking_quality import TrackingScore


def document(report: Report, subject: str, truth: str) -> dict[str, Any]:
    """Write scores of images as JSON values: fractions, null where there is nothing to score.

    Args:
        report: The scores.
        subject: What was scored.
        truth: Against what.
    """
    panoptic, semantic = report.panoptic, report.semantic
    groups = {"all": panoptic.all, "things": panoptic.things, "stuff": panoptic.stuff}
    found = {
        "subject": subject,
        "truth": truth,
        "images": report.images,
        "panoptic": {
            name: {"pq": mean.pq, "sq": mean.sq, "rq": mean.rq, "classes": mean.classes}
            for name, mean in groups.items()
        },
        "semantic": {"miou": semantic.miou, "accuracy": semantic.accuracy},
        "classes": [
            {
                "id": category.id,
                "name": category.name,
                "is_thing": category.is_thing,
                "pq": quality.pq,
                "sq": quality.sq,
                "rq": quality.rq,
                "iou": iou,
                "matched": quality.matched,
                "false_alarms": quality.false_alarms,
                "missed": quality.missed,
            }
            for category, quality, iou in zip(
                report.categories, panoptic.classes.values(), semantic.classes, strict=True
            )
        ],
    }
    cleaned: dict[str, Any] = _without_nan(found)
    return cleaned


def sequence_document(report: SequenceReport, subject: str, truth: str) -> dict[str, Any]:
    """Write scores of sequences as JSON values, those of their frames included."""
    video = report.video
    found = {
        **document(report.frames, subject, truth),
        "tracking": {
            **_tracking(report.tracking.all),
            "sequences": {
                name: _tracking(part) for name, part in report.tracking.sequences.items()
            },
        },
        "video": {
            "vpq": video.all,
            "vpq_things": video.things,
            "vpq_stuff": video.stuff,
            "windows": {str(length): part.all.pq for length, part in video.windows.items()},
        },
        "objects": {name: _objects(part) for name, part in report.objects.items()},
    }
    cleaned: dict[str, Any] = _without_nan(found)
    return cleaned


def _tracking(part: TrackingScore) -> dict[str, float]:
    return {"stq": part.stq, "aq": part.aq, "sq": part.sq, "frames": part.frames}


def _objects(part: ObjectTrackingResult) -> dict[str, float]:
    return {
        "smotsa": part.clear.smotsa,
        "motsa": part.clear.motsa,
        "motsp": part.clear.motsp,
        "id_switches": part.clear.id_switches,
        "hota": part.hota.hota,
        "deta": part.hota.detection,
        "assa": part.hota.accuracy,
        "idf1": part.identity.idf1,
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def show(found: dict[str, Any]) -> None:
    """Print what ``document`` or ``sequence_document`` wrote."""
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{found['subject']}, {found['images']} images",
        caption=f"truth: {found['truth']}\npercent; - where truth and prediction have none",
    )
    table.add_column("class")
    for name in ("PQ", "SQ", "RQ", "IoU", "matched", "false", "missed"):
        table.add_column(name, justify="right")
    for name, mean in found["panoptic"].items():
        iou = found["semantic"]["miou"] if name == "all" else None
        scores = [*(mean[key] for key in ("pq", "sq", "rq")), iou]
        table.add_row(f"{name} ({mean['classes']})", *map(_percent, scores), style="bold")
    table.add_section()
    for entry in found["classes"]:
        scores = [entry[key] for key in ("pq", "sq", "rq", "iou")]
        counts = [str(entry[key]) for key in ("matched", "false_alarms", "missed")]
        table.add_row(entry["name"], *map(_percent, scores), *counts)
    Console().print(table)
    if "tracking" in found:
        Console().print(_sequence_table(found))
        Console().print(_object_table(found))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _sequence_table(found: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="over time", caption="percent")
    table.add_column("sequence")
    for name in ("STQ", "AQ", "SQ", "frames"):
        table.add_column(name, justify="right")
    tracking, video = found["tracking"], found["video"]
    for name, part in (("all", tracking), *tracking["sequences"].items()):
        scores = [part[key] for key in ("stq", "aq", "sq")]
        table.add_row(name or ".", *map(_percent, scores), str(part["frames"]))
    table.add_section()
    for length, value in video["windows"].items():
        table.add_row(f"VPQ of {length}", _percent(value))
    table.add_row("VPQ", _percent(video["vpq"]), style="bold")
    return table


def _object_table(found: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="objects over time", caption="percent, but switches")
    table.add_column("class")
    heads = {"smotsa": "sMOTSA", "motsa": "MOTSA", "motsp": "MOTSP", "hota": "HOTA"}
    heads |= {"deta": "DetA", "assa": "AssA", "idf1": "IDF1"}
    for name in (*heads.values(), "switches"):
        table.add_column(name, justify="right")
    for name, part in found["objects"].items():
        table.add_row(name, *(_percent(part[key]) for key in heads), str(part["id_switches"]))
    return table
