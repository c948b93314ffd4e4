# SPDX-License-Identifier: Apache-2.0
"""What every label format comes down to: a class and an object of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.overlap import overlap
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.coco_panoptic import VOID_ID, Category, SegmentInfo

_ID_BITS = 16


@dataclass(frozen=True, eq=False)
class LabelMap:
    """One labelled picture.

    Attributes:
        labels: Position of the class among the format's categories, 255 for none, (H, W).
        ids: Object of the class, 0 for none, (H, W). In truth, things without one are crowd.
    """

    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]


def to_segments(
    picture: LabelMap, categories: Sequence[Category], is_truth: bool
) -> tuple[NDArray[np.uint32], tuple[SegmentInfo, ...]]:
    """List the segments of a picture; an object keeps its number from frame to frame.

    Args:
        picture: The labelled picture.
        categories: The format's classes.
        is_truth: Whether things without an object are crowd; in a prediction they are void.

    Returns:
        Segment id of each pixel, (H, W), and the segments by rising id.
    """
    things = np.zeros(256, np.bool_)
    things[: len(categories)] = [category.is_thing for category in categories]
    is_thing = things[picture.labels]
    objects = np.where(is_thing, picture.ids, NO_ID)
    is_void = picture.labels == VOID
    if not is_truth:
        is_void |= is_thing & (objects == NO_ID)
    ids = picture.labels.astype(np.uint32)
    ids += 1
    ids <<= _ID_BITS
    ids |= objects
    ids[is_void] = VOID_ID
    counts = overlap(np.where(is_void, VOID, picture.labels), objects)[: len(categories)]
    return ids, tuple(
        _segment(categories[label], label, number, int(counts[label, number]))
        for label, number in np.argwhere(counts).tolist()
    )


def _segment(category: Category, label: int, number: int, area: int) -> SegmentInfo:
    is_crowd = category.is_thing and number == NO_ID
    return SegmentInfo(((label + 1) << _ID_BITS) | number, category.id, area, is_crowd)
