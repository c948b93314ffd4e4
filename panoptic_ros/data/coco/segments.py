# SPDX-License-Identifier: Apache-2.0
"""A panoptic map of the pipeline as COCO segments."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import VOID_ID, SegmentInfo
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.types import VOID, Panoptic

STUFF_FIRST_ID = 1 << 16
"""Stuff segments have this id plus their class index; objects keep theirs, which lie below."""


def encode(
    panoptic: Panoptic,
    size: tuple[int, int],
    category_ids: Mapping[int, int],
    things: NDArray[np.bool_],
) -> tuple[NDArray[np.uint32], tuple[SegmentInfo, ...]]:
    """Turn a panoptic map into COCO segments at an image's own size.

    Args:
        panoptic: The map of one image.
        size: (height, width) of the image.
        category_ids: Category id of a class index; a class that is absent becomes void.
        things: Which class indices are things, (256,).

    Returns:
        Segment ids, (height, width): one segment per object and one per stuff class. Thing pixels
        without an object are void. And the segments sorted by id; areas are counted at ``size``.
    """
    ids = enlarge(segment_map(panoptic.labels, panoptic.ids, category_ids, things), size)
    areas = np.bincount(ids.ravel(), minlength=STUFF_FIRST_ID)
    areas[VOID_ID] = 0
    label_of = {segment.id: segment.label for segment in panoptic.segments}
    infos = tuple(
        SegmentInfo(
            id=number,
            category_id=category_ids[label_of.get(number, number - STUFF_FIRST_ID)],
            area=int(areas[number]),
            is_crowd=False,
        )
        for number in np.flatnonzero(areas).tolist()
    )
    return ids, infos


def segment_map(
    labels: NDArray[np.uint8],
    ids: NDArray[np.uint16],
    known: Collection[int],
    things: NDArray[np.bool_],
) -> NDArray[np.uint32]:
    """Number the segments: objects keep their ids, stuff gets one id per class, the rest is void.

    Args:
        labels: Class index of each pixel, 255 void, (H, W).
        ids: Object of each pixel, 0 for none, (H, W).
        known: The class indices that have a category.
        things: Which class indices are things, (256,).
    """
    is_known = np.zeros(256, np.bool_)
    is_known[list(known)] = True
    is_known[VOID] = False
    stuff_ids = np.where(is_known & ~things, np.arange(256) + STUFF_FIRST_ID, VOID_ID)
    claimed = (is_known & things)[labels]
    return np.where(claimed, ids, stuff_ids[labels]).astype(np.uint32)
