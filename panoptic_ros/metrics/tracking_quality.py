# SPDX-License-Identifier: Apache-2.0
"""Segmentation and tracking quality (STQ) of sequences.

Source: Weber et al. 2021, "STEP: Segmenting and Tracking Every Pixel", equations 4 to 8, with
what deeplab2's NumPy version adds: a tube is a (class, id) pair, so that a change of class ends
it; predictions on unlabelled pixels count in the size of their tube, those on crowd do not; the
mean of AQ is over the tubes of all sequences, the IoU over the confusion of all of them; void that
is predicted on labelled pixels is a class of its own with an IoU of 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.runs import runs
from panoptic_ros.metrics.intersections import Intersections, count_pairs

_ID_BITS = 16
_ID_MASK = (1 << _ID_BITS) - 1


@dataclass(frozen=True)
class TrackingScore:
    """Scores 0..1; a score without anything to score is not a number, or 0 for ``aq``.

    Attributes:
        stq: Geometric mean of the other two.
        aq: Association quality: whether ids stay with their objects.
        sq: Segmentation quality: mean IoU of the classes.
        frames: How many were scored.
    """

    stq: float
    aq: float
    sq: float
    frames: int


@dataclass(frozen=True)
class TrackingQualityResult:
    """What ``TrackingQuality`` found."""

    all: TrackingScore
    sequences: Mapping[str, TrackingScore]


@dataclass(eq=False)
class _Sequence:
    """Pixels of the tubes and classes of one sequence."""

    confusion: NDArray[np.int64]
    truth: Counter[int] = field(default_factory=Counter)
    predicted: Counter[int] = field(default_factory=Counter)
    both: Counter[tuple[int, int]] = field(default_factory=Counter)
    frames: int = 0

    def merge(self, other: _Sequence) -> None:
        self.confusion += other.confusion
        self.truth.update(other.truth)
        self.predicted.update(other.predicted)
        self.both.update(other.both)
        self.frames += other.frames

    def association(self) -> float:
        """Sum over the true tubes of how well one predicted tube follows each."""
        total = 0.0
        for (true_tube, predicted_tube), pixels in self.both.items():
            size = self.truth[true_tube]
            union = size + self.predicted[predicted_tube] - pixels
            total += pixels * (pixels / union) / size
        return total


class TrackingQuality:
    """Collects tubes over frames. One thread at a time; merge the parts of several.

    Args:
        class_count: Classes are 0..class_count - 1; any other label is void.
        things: The classes whose objects are followed.
    """

    def __init__(self, class_count: int, things: Sequence[int]) -> None:
        self._class_count = class_count
        self._is_thing = np.zeros(256, np.bool_)
        self._is_thing[list(things)] = True
        self.reset()

    def reset(self) -> None:
        """Forget all sequences."""
        self._sequences: dict[str, _Sequence] = {}

    def merge(self, other: TrackingQuality) -> None:
        """Add what another one collected; frames of the same sequence may be in both."""
        for name, theirs in other._sequences.items():
            self._sequence(name).merge(theirs)

    def update(
        self,
        truth_labels: NDArray[np.uint8],
        truth_ids: NDArray[np.uint16],
        predicted_labels: NDArray[np.uint8],
        predicted_ids: NDArray[np.uint16],
        sequence: str = "",
    ) -> None:
        """Add one frame; the order of frames does not matter.

        Args:
            truth_labels: Class of each pixel, (H, W).
            truth_ids: Object of each pixel, (H, W); 0 on a thing is crowd.
            predicted_labels: Class of each pixel, (H, W).
            predicted_ids: Track of each pixel, (H, W).
            sequence: Whose frame it is.

        Raises:
            ValueError: The maps differ in shape.
        """
        starts, lengths = runs(truth_labels, truth_ids, predicted_labels, predicted_ids)
        shared = count_pairs(
            _tubes(truth_labels, truth_ids, starts),
            _tubes(predicted_labels, predicted_ids, starts),
            lengths,
        )
        part = self._sequence(sequence)
        part.frames += 1
        self._count_classes(part, shared)
        self._count_tubes(part, shared)

    def _sequence(self, name: str) -> _Sequence:
        if name not in self._sequences:
            # The last row and column are void.
            shape = (self._class_count + 1,) * 2
            self._sequences[name] = _Sequence(np.zeros(shape, np.int64))
        return self._sequences[name]

    def _count_classes(self, part: _Sequence, shared: Intersections) -> None:
        rows = np.minimum(shared.truth >> _ID_BITS, self._class_count)
        columns = np.minimum(shared.predicted >> _ID_BITS, self._class_count)
        np.add.at(part.confusion, (rows, columns), shared.pixels)

    def _count_tubes(self, part: _Sequence, shared: Intersections) -> None:
        on_thing = self._is_thing[shared.truth >> _ID_BITS]
        is_crowd = on_thing & (shared.truth & _ID_MASK == 0)
        is_true = on_thing & ~is_crowd
        is_predicted = self._is_thing[shared.predicted >> _ID_BITS] & ~is_crowd
        truth, predicted, pixels = (
            values.tolist() for values in (shared.truth, shared.predicted, shared.pixels)
        )
        for index in np.flatnonzero(is_true).tolist():
            part.truth[truth[index]] += pixels[index]
        for index in np.flatnonzero(is_predicted).tolist():
            part.predicted[predicted[index]] += pixels[index]
        for index in np.flatnonzero(is_true & is_predicted).tolist():
            part.both[truth[index], predicted[index]] += pixels[index]

    def result(self) -> TrackingQualityResult:
        """Compute the quality of all sequences so far."""
        parts = self._sequences
        return TrackingQualityResult(
            self._score(list(parts.values())),
            {name: self._score([part]) for name, part in parts.items()},
        )

    def _score(self, parts: Sequence[_Sequence]) -> TrackingScore:
        tubes = sum(len(part.truth) for part in parts)
        aq = sum(part.association() for part in parts) / tubes if tubes else 0.0
        shape = (self._class_count + 1,) * 2
        sq = _mean_iou(sum((part.confusion for part in parts), np.zeros(shape, np.int64)))
        return TrackingScore(math.sqrt(aq * sq), aq, sq, sum(part.frames for part in parts))


def _tubes(
    labels: NDArray[np.uint8], ids: NDArray[np.uint16], pixels: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Class and id of some pixels as one number each."""
    tubes = labels.ravel()[pixels].astype(np.int64) << _ID_BITS
    return tubes | ids.ravel()[pixels].astype(np.int64)


def _mean_iou(confusion: NDArray[np.int64]) -> float:
    """Mean over the classes that occur; truth is by row and its last row, void, is ignored."""
    labelled = confusion.copy()
    labelled[-1] = 0
    right = np.diag(labelled)
    union = labelled.sum(axis=0) + labelled.sum(axis=1) - right
    occurs = union > 0
    return float((right[occurs] / union[occurs]).mean()) if occurs.any() else math.nan
