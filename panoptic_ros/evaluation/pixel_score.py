# SPDX-License-Identifier: Apache-2.0
"""The chosen scores that compare images pixel by pixel, whatever their segments are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.annotation import Annotation
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.evaluation.prediction import Prediction
from panoptic_ros.metrics.boundary import BoundaryIou, BoundaryResult
from panoptic_ros.metrics.calibration import Calibration, CalibrationResult
from panoptic_ros.metrics.semantic import SemanticIou, SemanticResult

PIXEL_METRICS = ("label_miou", "biou", "ece")


@dataclass(frozen=True)
class PixelScoreResult:
    """What ``PixelScore`` found; a metric that was not chosen is None.

    Attributes:
        label_map: IoU of classes, where a thing pixel that no object claims keeps its class.
        boundary: Boundary IoU of classes.
        calibration: Whether the confidence means what it says.
    """

    label_map: SemanticResult | None = None
    boundary: BoundaryResult | None = None
    calibration: CalibrationResult | None = None


class PixelScore:
    """Collects them. One thread at a time; merge the parts of several.

    Args:
        labels: The classes.
        metrics: Those of ``PIXEL_METRICS`` among them are collected.
    """

    def __init__(self, labels: LabelSet, metrics: Collection[str]) -> None:
        self._labels = labels
        count = len(labels)
        self._label_map = SemanticIou(count) if "label_miou" in metrics else None
        self._boundary = BoundaryIou(count) if "biou" in metrics else None
        self._calibration = Calibration() if "ece" in metrics else None

    def update(self, truth: Annotation, prediction: Prediction) -> None:
        """Add one image.

        Raises:
            DataError: The confidence is needed and not there; the message names the prediction.
        """
        true, found = truth.map, prediction.annotation.map
        if self._label_map is not None:
            self._label_map.update(true.labels, found.labels)
        if self._boundary is not None:
            self._boundary.update(true.labels, self._claimed(found))
        if self._calibration is not None:
            if prediction.confidence is None:
                raise DataError(
                    f"{prediction.name}: ece needs the confidence of every pixel, which label "
                    "files do not hold; score a model with --engine, or a bag with the confidence "
                    "topic"
                )
            self._calibration.update(true.labels, found.labels, prediction.confidence)

    def _claimed(self, found: LabelMap) -> NDArray[np.uint8]:
        """The labels where, as in the IoU of classes, a thing pixel without object is nothing."""
        claimed = ~self._labels.things[found.labels] | (found.ids != NO_ID)
        return np.where(claimed, found.labels, np.uint8(VOID))

    def merge(self, other: PixelScore) -> None:
        """Add what another one of the same classes and metrics collected."""
        if self._label_map is not None and other._label_map is not None:
            self._label_map.merge(other._label_map)
        if self._boundary is not None and other._boundary is not None:
            self._boundary.merge(other._boundary)
        if self._calibration is not None and other._calibration is not None:
            self._calibration.merge(other._calibration)

    def result(self) -> PixelScoreResult:
        """Compute the scores of all images so far."""
        return PixelScoreResult(
            self._label_map.result() if self._label_map else None,
            self._boundary.result() if self._boundary else None,
            self._calibration.result() if self._calibration else None,
        )
