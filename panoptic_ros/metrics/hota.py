# SPDX-License-Identifier: Apache-2.0
"""Higher order tracking accuracy (HOTA): detection and association in balance.

Source: Luiten et al. 2020, "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking",
equations 6 to 16, as TrackEval computes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.metrics.assignment import largest_sum
from panoptic_ros.metrics.frame_matches import EPSILON, TrackingSequence

LEAST_IOU = np.arange(0.05, 0.99, 0.05)
"""The 19 thresholds over which the scores are averaged."""


def _zeros() -> NDArray[np.float64]:
    return np.zeros(LEAST_IOU.size)


@dataclass(frozen=True, eq=False)
class Hota:
    """Counts by threshold, (19,) each, and the scores that follow from them.

    Attributes:
        tp: True positives: objects found.
        fp: False positives: predictions of nothing.
        fn: False negatives: objects not found.
        association: Sum over the matches of how well their two tracks agree.
        iou: Sum of the IoU of the matches.
    """

    tp: NDArray[np.float64] = field(default_factory=_zeros)
    fp: NDArray[np.float64] = field(default_factory=_zeros)
    fn: NDArray[np.float64] = field(default_factory=_zeros)
    association: NDArray[np.float64] = field(default_factory=_zeros)
    iou: NDArray[np.float64] = field(default_factory=_zeros)

    @property
    def hota(self) -> float:
        """Mean over the thresholds of the geometric mean of detection and association."""
        return float(np.sqrt(self._detections() * self._associations()).mean())

    @property
    def detection(self) -> float:
        """DetA: matches over all objects and false alarms."""
        return float(self._detections().mean())

    @property
    def accuracy(self) -> float:
        """AssA: whether matched tracks stay together."""
        return float(self._associations().mean())

    @property
    def localisation(self) -> float:
        """LocA: mean IoU of the matches, 1 without any."""
        least = 1e-10
        return float((np.maximum(least, self.iou) / np.maximum(least, self.tp)).mean())

    def _detections(self) -> NDArray[np.float64]:
        found = self.tp + self.fn + self.fp
        return np.asarray(self.tp / np.maximum(1.0, found), np.float64)

    def _associations(self) -> NDArray[np.float64]:
        return np.asarray(self.association / np.maximum(1.0, self.tp), np.float64)


def add_hota(parts: Sequence[Hota]) -> Hota:
    """Add up sequences."""
    return Hota(
        *(
            sum((getattr(part, name) for part in parts), _zeros())
            for name in Hota.__dataclass_fields__
        )
    )


def hota(sequence: TrackingSequence) -> Hota:
    """Compute the counts of one sequence."""
    alignment, sizes = _alignment(sequence)
    total = Hota()
    matches = np.zeros((LEAST_IOU.size, sequence.truth_count, sequence.predicted_count))
    for seen in sequence.frames:
        gain = alignment[seen.truth[:, None], seen.predicted] * seen.iou
        rows, columns = largest_sum(gain)
        iou = seen.iou[rows, columns]
        is_match = iou >= LEAST_IOU[:, None] - EPSILON
        found = is_match.sum(axis=1)
        total.tp[:] += found
        total.fn[:] += seen.truth.size - found
        total.fp[:] += seen.predicted.size - found
        total.iou[:] += (is_match * iou).sum(axis=1)
        matches[:, seen.truth[rows], seen.predicted[columns]] += is_match
    agreement = matches / np.maximum(1.0, sizes - matches)
    total.association[:] = (matches * agreement).sum(axis=(1, 2))
    return total


def _alignment(sequence: TrackingSequence) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How well each pair of tracks fits over the whole sequence, and the sum of their lengths."""
    likely = np.zeros((sequence.truth_count, sequence.predicted_count))
    true_length = np.zeros((sequence.truth_count, 1))
    predicted_length = np.zeros((1, sequence.predicted_count))
    for seen in sequence.frames:
        rivals = seen.iou.sum(axis=0) + seen.iou.sum(axis=1)[:, None] - seen.iou
        share = np.divide(seen.iou, rivals, out=np.zeros_like(seen.iou), where=rivals > EPSILON)
        likely[seen.truth[:, None], seen.predicted] += share
        true_length[seen.truth] += 1
        predicted_length[0, seen.predicted] += 1
    sizes = true_length + predicted_length
    return likely / (sizes - likely), sizes
