# SPDX-License-Identifier: Apache-2.0
"""What the scores of object tracking are computed from: who was where, and how well they overlap.

Source: the preparation of KITTI MOTS in TrackEval (Luiten et al.): one class at a time; a
prediction that matches nothing and lies more than half in an ignored region is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import NO_ID
from panoptic_ros.metrics.assignment import largest_sum
from panoptic_ros.metrics.intersections import Intersections, intersect

MATCH_IOU = 0.5
"""Least IoU of a match, rounding aside."""

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class FrameMatches:
    """The objects of one frame and one class.

    Attributes:
        truth: Ids of the true objects, each once, (N,) int64.
        predicted: Ids of the predicted objects, each once, (M,) int64.
        iou: How well they overlap, 0..1, (N, M).
    """

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    iou: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrackingSequence:
    """The frames of one sequence in order, with ids that run 0, 1, 2, ...

    Attributes:
        frames: Their matches, in order.
        truth_ids: Id of each true object before it was numbered, rising.
        predicted_ids: Id of each predicted one.
    """

    frames: tuple[FrameMatches, ...]
    truth_ids: NDArray[np.int64]
    predicted_ids: NDArray[np.int64]

    @property
    def truth_count(self) -> int:
        """How many true objects the sequence has."""
        return self.truth_ids.size

    @property
    def predicted_count(self) -> int:
        """How many predicted objects it has."""
        return self.predicted_ids.size


def match_frame(
    truth: NDArray[np.integer],  # type: ignore[type-arg]
    predicted: NDArray[np.integer],  # type: ignore[type-arg]
    ignored: NDArray[np.bool_] | None = None,
) -> FrameMatches:
    """Compare the objects of one class in one frame.

    Args:
        truth: Id of each pixel, 0 for none, (H, W).
        predicted: Id of each pixel, 0 for none, (H, W).
        ignored: Where the truth does not know, (H, W); None for nowhere.

    Raises:
        ValueError: The maps differ in shape.
    """
    seen = _iou(intersect(truth, predicted))
    if ignored is None or not seen.predicted.size:
        return seen
    unmatched = np.ones(seen.predicted.size, np.bool_)
    unmatched[best_pairs(seen.iou)[1]] = False
    inside = intersect(ignored.astype(np.uint8), predicted)
    hidden = inside.truth > 0
    pixels = dict(
        zip(inside.predicted[hidden].tolist(), inside.pixels[hidden].tolist(), strict=True)
    )
    areas = inside.predicted_areas()
    share = np.array([pixels.get(key, 0) / areas[key] for key in seen.predicted.tolist()])
    kept = ~(unmatched & (share > 0.5 + EPSILON))
    return FrameMatches(seen.truth, seen.predicted[kept], seen.iou[:, kept])


def _iou(shared: Intersections) -> FrameMatches:
    true_areas, predicted_areas = shared.truth_areas(), shared.predicted_areas()
    for areas in (true_areas, predicted_areas):
        areas.pop(NO_ID, None)
    truth = np.array(sorted(true_areas), np.int64)
    predicted = np.array(sorted(predicted_areas), np.int64)
    both = np.zeros((truth.size, predicted.size), np.float64)
    counted = (shared.truth != NO_ID) & (shared.predicted != NO_ID)
    rows = np.searchsorted(truth, shared.truth[counted])
    columns = np.searchsorted(predicted, shared.predicted[counted])
    both[rows, columns] = shared.pixels[counted]
    true_sizes = np.array([true_areas[number] for number in truth.tolist()], np.float64)
    sizes = np.array([predicted_areas[number] for number in predicted.tolist()], np.float64)
    return FrameMatches(truth, predicted, both / (true_sizes[:, None] + sizes - both))


def best_pairs(iou: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair rows and columns, each at most once, for the largest sum of IoU from 0.5 on."""
    gain = np.where(iou < MATCH_IOU - EPSILON, -10000.0, iou)
    rows, columns = largest_sum(gain)
    matched = gain[rows, columns] > 0
    return rows[matched], columns[matched]


def tracking_sequence(frames: Sequence[FrameMatches]) -> TrackingSequence:
    """Number the objects of a sequence in the order of their ids."""
    truth = np.unique(_all([entry.truth for entry in frames]))
    predicted = np.unique(_all([entry.predicted for entry in frames]))
    numbered = tuple(
        FrameMatches(
            np.searchsorted(truth, entry.truth),
            np.searchsorted(predicted, entry.predicted),
            entry.iou,
        )
        for entry in frames
    )
    return TrackingSequence(numbered, truth, predicted)


def _all(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts])
