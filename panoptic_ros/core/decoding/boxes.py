# SPDX-License-Identifier: Apache-2.0
"""Boxes of all objects of a map in one pass over their pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import Box


def bounding_boxes(ids: NDArray[np.uint16], count: int) -> list[Box]:
    """Find the box of each id.

    Args:
        ids: 0 for none, 1..count, (h, w).
        count: Largest id; every id from 1 on occurs.

    Returns:
        (x0, y0, x1, y1) half open, of ids 1..count in order.

    >>> bounding_boxes(np.array([[0, 1, 1], [2, 0, 0]], np.uint16), 2)
    [(1, 0, 3, 1), (0, 1, 1, 2)]
    """
    # Only the ends of each run of equal ids along a row can touch a box.
    width = ids.shape[1]
    begins = np.ones(ids.shape, np.bool_)
    np.not_equal(ids[:, 1:], ids[:, :-1], out=begins[:, 1:])
    first = np.flatnonzero(begins)
    owner = ids.ravel()[first]
    inside = owner > 0
    last = np.append(first[1:], ids.size) - 1
    ends = np.concatenate((first[inside], last[inside]))
    y = ends // width
    return boxes_of_pixels(np.tile(owner[inside], 2), y, ends - y * width, ids.shape, count)


def boxes_of_pixels(
    ids: NDArray[np.uint16],
    y: NDArray[np.intp],
    x: NDArray[np.intp],
    shape: tuple[int, ...],
    count: int,
) -> list[Box]:
    """Find the boxes of ids 1..count from the ids of single pixels.

    Args:
        ids: Id of each pixel, (N,); id 0 has no box.
        y: Row of each pixel, (N,).
        x: Column of each pixel, (N,).
        shape: (h, w) of the map.
        count: Largest id; every id from 1 on occurs.

    Returns:
        As ``bounding_boxes``.
    """
    owner = ids.astype(np.intp)
    x0, x1 = _extent(owner, x, count, shape[1])
    y0, y1 = _extent(owner, y, count, shape[0])
    return list(zip(x0, y0, x1, y1, strict=True))


def _extent(
    owner: NDArray[np.intp], position: NDArray[np.intp], count: int, length: int
) -> tuple[list[int], list[int]]:
    """First position of each owner, and one past the last, along one axis."""
    # A table of which owner is on which row beats ufunc.at, slow before NumPy 1.25.
    present = np.zeros((count + 1, length), np.bool_)
    present[owner, position] = True
    table = present[1:]
    first, behind = table.argmax(axis=1), length - table[:, ::-1].argmax(axis=1)
    return first.tolist(), behind.tolist()
