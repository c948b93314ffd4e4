# SPDX-License-Identifier: Apache-2.0
"""Scores as JSON values."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from panoptic_ros.evaluation.evaluate import EvaluationResult
from panoptic_ros.evaluation.pixel_score import PixelScoreResult
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
    by: str | None = None,
) -> dict[str, Any]:
    """Write scores as JSON values: fractions, null where there is nothing to score.

    Args:
        result: The scores.
        metrics: Which of them were asked for.
        subject: What was scored.
        truth: Against what.
        remarks: What the reader should know.
        by: Field by which images were scored by themselves, too.
    """
    found: dict[str, Any] = {
        "subject": subject,
        "truth": truth,
        "images": result.frames.images,
        "remarks": list(remarks),
        **_scores(result, metrics),
    }
    if result.groups:
        found["groups"] = {
            "field": by,
            "values": {
                value: {"images": part.frames.images, **_scores(part, metrics)}
                for value, part in result.groups.items()
            },
        }
    cleaned: dict[str, Any] = _without_nan(found)
    return cleaned


def _scores(result: EvaluationResult, metrics: Collection[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "pq" in metrics:
        found["panoptic"] = _panoptic(result.frames.panoptic)
    if "miou" in metrics:
        semantic = result.frames.semantic
        found["semantic"] = {"miou": semantic.miou, "accuracy": semantic.accuracy}
    found |= _pixels(result.pixels)
    if {"pq", "miou", "label_miou", "biou"} & set(metrics):
        found["classes"] = _classes(result, metrics)
    if result.drivable:
        found["drivable"] = asdict(result.drivable)
    if result.sequences:
        found |= _over_time(result.sequences, metrics)
    return found


def _pixels(pixels: PixelScoreResult) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if pixels.label_map:
        labels = pixels.label_map
        found["label_map"] = {"miou": labels.miou, "accuracy": labels.accuracy}
    if pixels.boundary:
        found["boundary"] = {"biou": pixels.boundary.mean}
    if pixels.calibration:
        found["calibration"] = asdict(pixels.calibration)
        found["calibration"]["bins"] = list(found["calibration"]["bins"])
    return found


def _panoptic(quality: PanopticQualityResult) -> dict[str, Any]:
    groups = {"all": quality.all, "things": quality.things, "stuff": quality.stuff}
    return {
        name: {"pq": mean.pq, "sq": mean.sq, "rq": mean.rq, "classes": mean.classes}
        for name, mean in groups.items()
    }


def _classes(result: EvaluationResult, metrics: Collection[str]) -> list[dict[str, Any]]:
    frames, pixels = result.frames, result.pixels
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
        if pixels.label_map:
            line["label_iou"] = pixels.label_map.classes[index]
        if pixels.boundary:
            line["biou"] = pixels.boundary.classes[index]
        if "pq" in metrics:
            line |= {
                "tp": quality.tp,
                "fp": quality.fp,
                "fn": quality.fn,
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
    counts = part.clear
    if not counts.tp + counts.fp + counts.fn:
        # Neither side has an object of the class: there is nothing to score.
        scores = dict.fromkeys((key for keys in OBJECT_SCORES.values() for key in keys), math.nan)
        return {**scores, "id_switches": 0}
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
