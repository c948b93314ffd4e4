# SPDX-License-Identifier: Apache-2.0
"""Scores as JSON values and as tables."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from panoptic_ros.evaluation.evaluate import EvaluationResult
    from panoptic_ros.evaluation.sequence_score import SequenceResult
    from panoptic_ros.metrics.object_tracking import ObjectTrackingResult
    from panoptic_ros.metrics.panoptic_quality import PanopticQualityResult
    from panoptic_ros.metrics.tracking_quality import TrackingQualityResult, TrackingScore
    from panoptic_ros.metrics.video_quality import VideoQualityResult

OBJECT_SCORES = {
    "clear": ("smotsa", "motsa", "motsp", "id_switches"),
    "hota": ("hota", "deta", "assa"),
    "idf1": ("idf1",),
}
"""Scores of the objects of a class by metric."""


def document(
    result: EvaluationResult,
    metrics: Collection[str],
    subject: str,
    truth: str,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Write scores as JSON values: fractions, null where there is nothing to score.

    Args:
        result: The scores.
        metrics: Which of them were asked for.
        subject: What was scored.
        truth: Against what.
        remarks: What the reader should know.
    """
    found: dict[str, Any] = {
        "subject": subject,
        "truth": truth,
        "images": result.frames.images,
        "remarks": list(remarks),
    }
    if "pq" in metrics:
        found["panoptic"] = _panoptic(result.frames.panoptic)
    if "miou" in metrics:
        semantic = result.frames.semantic
        found["semantic"] = {"miou": semantic.miou, "accuracy": semantic.accuracy}
    if result.boundary:
        found["boundary"] = {"biou": result.boundary.mean}
    if {"pq", "miou", "biou"} & set(metrics):
        found["classes"] = _classes(result, metrics)
    if result.calibration:
        found["calibration"] = asdict(result.calibration)
        found["calibration"]["bins"] = list(found["calibration"]["bins"])
    if result.drivable:
        found["drivable"] = asdict(result.drivable)
    if result.sequences:
        found |= _over_time(result.sequences, metrics)
    cleaned: dict[str, Any] = _without_nan(found)
    return cleaned


def _panoptic(quality: PanopticQualityResult) -> dict[str, Any]:
    groups = {"all": quality.all, "things": quality.things, "stuff": quality.stuff}
    return {
        name: {"pq": mean.pq, "sq": mean.sq, "rq": mean.rq, "classes": mean.classes}
        for name, mean in groups.items()
    }


def _classes(result: EvaluationResult, metrics: Collection[str]) -> list[dict[str, Any]]:
    frames = result.frames
    lines = []
    for index, category in enumerate(frames.categories):
        line: dict[str, Any] = {
            "id": category.id,
            "name": category.name,
            "is_thing": category.is_thing,
        }
        quality = frames.panoptic.classes[category.id]
        if "pq" in metrics:
            line |= {"pq": quality.pq, "sq": quality.sq, "rq": quality.rq}
        if "miou" in metrics:
            line["iou"] = frames.semantic.classes[index]
        if result.boundary:
            line["biou"] = result.boundary.classes[index]
        if "pq" in metrics:
            line |= {
                "matched": quality.tp,
                "false_alarms": quality.fp,
                "missed": quality.fn,
            }
        lines.append(line)
    return lines


def _over_time(sequences: SequenceResult, metrics: Collection[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if sequences.tracking:
        found["tracking"] = _stq(sequences.tracking)
    if sequences.video:
        found["video"] = _vpq(sequences.video)
    if sequences.objects:
        kept = [key for name, keys in OBJECT_SCORES.items() if name in metrics for key in keys]
        found["objects"] = {
            name: {key: value for key, value in _objects(part).items() if key in kept}
            for name, part in sequences.objects.items()
        }
    return found


def _stq(tracking: TrackingQualityResult) -> dict[str, Any]:
    parts = {name: _tracking(part) for name, part in tracking.sequences.items()}
    return {**_tracking(tracking.all), "sequences": parts}


def _vpq(video: VideoQualityResult) -> dict[str, Any]:
    return {
        "vpq": video.all,
        "vpq_things": video.things,
        "vpq_stuff": video.stuff,
        "windows": {str(length): part.all.pq for length, part in video.windows.items()},
    }


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
    """Print what ``document`` wrote."""
    from rich.console import Console

    # Paths and class names may hold brackets.
    console = Console(markup=False)
    title = f"{found['subject']}, {found['images']} images"
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
        ("calibration", _calibration_table),
    ):
        if key in found:
            console.print(table(found))
    for remark in found["remarks"]:
        console.print(remark)


HEADS = {"pq": "PQ", "sq": "SQ", "rq": "RQ", "iou": "IoU", "biou": "BIoU"}
COUNTS = {"matched": "matched", "false_alarms": "false", "missed": "missed"}


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


OBJECT_HEADS = {
    "smotsa": "sMOTSA",
    "motsa": "MOTSA",
    "motsp": "MOTSP",
    "hota": "HOTA",
    "deta": "DetA",
    "assa": "AssA",
    "idf1": "IDF1",
    "id_switches": "switches",
}


def _object_table(found: dict[str, Any]) -> Table:
    objects = found["objects"]
    heads = {
        key: head for key, head in OBJECT_HEADS.items() if key in next(iter(objects.values()))
    }
    table = _table("objects over time", "percent, but switches", ["class", *heads.values()])
    for name, part in objects.items():
        values = [str(part[key]) if key == "id_switches" else _percent(part[key]) for key in heads]
        table.add_row(name, *values)
    return table


DRIVABLE_HEADS = {
    "iou": "IoU",
    "precision": "precision",
    "recall": "recall",
    "max_f": "MaxF",
    "false_drivable": "obstacle and pavement pixels called drivable",
    "false_drivable_near": "the same in the lower 40 % of the image",
    "missed_obstacles": "obstacles mostly called drivable",
    "flicker": "flicker",
}


def _drivable_table(found: dict[str, Any]) -> Table:
    drivable = found["drivable"]
    table = _table("drivable surface", "percent, but pixels", ["score", "value"])
    for key, head in DRIVABLE_HEADS.items():
        if key != "flicker" or drivable[key] is not None:
            table.add_row(head, _percent(drivable[key]))
    error = drivable["boundary_px"]
    table.add_row("boundary error, px per column", "-" if error is None else f"{error:.1f}")
    return table


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
