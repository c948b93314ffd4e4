# SPDX-License-Identifier: Apache-2.0
"""The scores of sequences: tubes and tracks over time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.annotation import Annotation
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.metrics.id_history import IdHistory
from panoptic_ros.metrics.object_tracking import ObjectTracking, ObjectTrackingResult
from panoptic_ros.metrics.tracking_quality import TrackingQuality, TrackingQualityResult
from panoptic_ros.metrics.video_quality import VideoQuality, VideoQualityResult

OBJECT_METRICS = frozenset({"clear", "hota", "idf1"})


@dataclass(frozen=True)
class SequenceResult:
    """What was found; what was not asked for is None or empty.

    Attributes:
        tracking: Segmentation and tracking quality.
        video: Panoptic quality of tubes.
        objects: Scores of the objects of a class, by its name.
    """

    tracking: TrackingQualityResult | None = None
    video: VideoQualityResult | None = None
    objects: Mapping[str, ObjectTrackingResult] = field(default_factory=dict)


class SequenceScore:
    """Collects scores over frames that come in order. One thread at a time.

    Args:
        categories: The classes; a label is a position among them.
        metrics: Which of stq, vpq, clear, hota and idf1 are wanted; the last three come together.
    """

    def __init__(self, categories: Sequence[Category], metrics: Collection[str]) -> None:
        self._categories = tuple(categories)
        things = [index for index, category in enumerate(categories) if category.is_thing]
        self._tracking = TrackingQuality(len(categories), things) if "stq" in metrics else None
        self._video = VideoQuality(self._categories) if "vpq" in metrics else None
        followed = things if OBJECT_METRICS & set(metrics) else []
        self._objects = {index: ObjectTracking() for index in followed}

    def update(self, truth: Annotation, predicted: Annotation, sequence: str) -> None:
        """Add the next frame of a sequence.

        Raises:
            ValueError: The maps differ in shape.
        """
        if self._video is not None:
            self._video.update(*truth.segments, *predicted.segments, sequence)
        true, found = truth.map, predicted.map
        if self._tracking is not None:
            self._tracking.update(true.labels, true.ids, found.labels, found.ids, sequence)
        for index, objects in self._objects.items():
            crowd = (true.labels == index) & (true.ids == NO_ID)
            objects.update(
                _only(true, index), _only(found, index), sequence, crowd | (true.labels == VOID)
            )

    def result(self) -> SequenceResult:
        """Compute the scores of all frames so far."""
        return SequenceResult(
            self._tracking.result() if self._tracking else None,
            self._video.result() if self._video else None,
            {
                self._categories[index].name: objects.result()
                for index, objects in self._objects.items()
            },
        )

    def id_histories(self) -> dict[str, dict[str, list[IdHistory]]]:
        """Say who was followed under which id when, by sequence and class name."""
        found: dict[str, dict[str, list[IdHistory]]] = {}
        for index, objects in self._objects.items():
            for sequence, seen in objects.id_histories().items():
                found.setdefault(sequence, {})[self._categories[index].name] = seen
        return found


def _only(image: LabelMap, label: int) -> NDArray[np.uint16]:
    """Objects of one class, 0 elsewhere."""
    only: NDArray[np.uint16] = np.where(image.labels == label, image.ids, np.uint16(NO_ID))
    return only
