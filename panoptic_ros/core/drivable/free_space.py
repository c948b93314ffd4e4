# SPDX-License-Identifier: Apache-2.0
"""How far up every column of an image the surface goes on, and what ends it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import VOID


def ego_foot(ego: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Where the free space of every column begins: above the ego vehicle at the lower edge.

    Args:
        ego: Where the ego vehicle is, (h, w) bool.

    Returns:
        (w,) int32: the lowest row that shows something else, plus 1.

    >>> ego_foot(np.array([[0, 0, 1], [1, 0, 1], [1, 0, 1]], bool)).tolist()
    [1, 3, 0]
    """
    return (free_space_boundary(ego) + 1).astype(np.int32)


def free_space_boundary(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """First row from the bottom that is not drivable, for every column.

    Args:
        mask: (h, w) bool.

    Returns:
        (w,) int32: -1 where the whole column is free, h - 1 where not even the lowest pixel is.

    >>> free_space_boundary(np.array([[1, 0, 1], [1, 1, 0]], bool)).tolist()
    [-1, 0, 1]
    """
    height = mask.shape[0]
    # A column becomes a row that begins at the bottom: there argmin stops at the first hit.
    flat = np.ascontiguousarray(mask).view(np.uint8)
    from_below = np.asarray(cv2.rotate(flat, cv2.ROTATE_90_CLOCKWISE), np.uint8).view(np.bool_)
    steps = from_below.argmin(axis=1)
    is_free = from_below[np.arange(mask.shape[1]), steps]
    return np.where(is_free, -1, height - 1 - steps).astype(np.int32)


def ending_classes(
    boundary: NDArray[np.int32],
    labels: NDArray[np.uint8],
    is_surface: NDArray[np.bool_],
    reach: int,
) -> NDArray[np.uint8]:
    """Class that ends the free space of every column.

    Args:
        boundary: As ``free_space_boundary`` gives it, (w,).
        labels: Class index of each pixel, (h, w) uint8.
        is_surface: Which label values are surface, (256,) bool.
        reach: How many rows above the boundary the thing may stand of which it keeps clear.

    Returns:
        (w,) uint8; ``VOID`` where the column is free to the top or only unsure surface ends it.
    """
    rows = boundary[None] - np.arange(reach + 1)[:, None]
    columns = np.arange(boundary.size)
    seen = labels[np.maximum(rows, 0), columns]
    ends = ~is_surface[seen] & (rows >= 0)
    first = ends.argmax(axis=0)
    found = np.where(ends.any(axis=0), seen[first, columns], VOID)
    return np.asarray(found, np.uint8)
