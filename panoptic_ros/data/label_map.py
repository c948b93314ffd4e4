# SPDX-License-Identifier: Apache-2.0
"""What every label format comes down to: a class and an object of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import VOID_ID, Category, SegmentInfo
from panoptic_ros.core.runs import runs
from panoptic_ros.core.types import NO_ID, VOID

_ID_BITS = 16
_ID_MASK = (1 << _ID_BITS) - 1


@dataclass(frozen=True, eq=False)
class LabelMap:
    """One labelled image.

    Attributes:
        labels: Position of the class among the format's categories, 255 for none, (H, W).
        ids: Object of the class, 0 for none, (H, W). In truth, things without one are crowd.
    """

    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]


def to_segments(
    image: LabelMap, categories: Sequence[Category], is_truth: bool
) -> tuple[NDArray[np.uint32], tuple[SegmentInfo, ...]]:
    """List the segments of an image; an object keeps its number from frame to frame.

    Args:
        image: The labelled image.
        categories: The format's classes.
        is_truth: Whether things without an object are crowd; in a prediction they are void.

    Returns:
        Segment id of each pixel, (H, W), and the segments by rising id.
    """
    things = np.zeros(256, np.bool_)
    things[: len(categories)] = [category.is_thing for category in categories]
    is_thing = things[image.labels]
    objects = np.where(is_thing, image.ids, NO_ID)
    is_void = image.labels == VOID
    if not is_truth:
        is_void |= is_thing & (objects == NO_ID)
    ids = image.labels.astype(np.uint32)
    ids += 1
    ids <<= _ID_BITS
    ids |= objects
    ids[is_void] = VOID_ID
    return ids, tuple(
        _segment(number, area, categories) for number, area in _areas(ids) if number != VOID_ID
    )


def _areas(ids: NDArray[np.uint32]) -> list[tuple[int, int]]:
    """Each number that occurs with its pixels, rising."""
    # Only the starts of runs are sorted: an image has far fewer of them than pixels.
    starts, lengths = runs(ids)
    numbers, which = np.unique(ids.ravel()[starts], return_inverse=True)
    areas = np.bincount(which.ravel(), weights=lengths)
    return list(zip(numbers.tolist(), areas.astype(np.int64).tolist(), strict=True))


def _segment(number: int, area: int, categories: Sequence[Category]) -> SegmentInfo:
    category = categories[(number >> _ID_BITS) - 1]
    is_crowd = category.is_thing and number & _ID_MASK == NO_ID
    return SegmentInfo(number, category.id, area, is_crowd)
