# SPDX-License-Identifier: Apache-2.0
"""Boxes of objects: of one mask, or of all of a map in one pass over its runs of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.runs import runs
from panoptic_ros.core.types import Box


def mask_box(mask: NDArray[np.bool_]) -> Box:
    """Find the box of a mask.

    Args:
        mask: (h, w), somewhere True.

    Returns:
        (x0, y0, x1, y1) half open.

    >>> mask_box(np.array([[False, True, True], [False, False, False]]))
    (1, 0, 3, 1)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


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
    first, length = runs(ids, by_row=True)
    owner = ids.ravel().take(first).astype(np.intp)
    return boxes_of_runs(owner, first, length, ids.shape, count)


def boxes_of_runs(
    owner: NDArray[np.intp],
    first: NDArray[np.intp],
    length: NDArray[np.intp],
    shape: tuple[int, ...],
    count: int,
) -> list[Box]:
    """Find the boxes of ids 1..count from runs of pixels, none longer than its row.

    Args:
        owner: Id of each run, 0..count, (R,); id 0 has no box.
        first: Index of its first pixel in the raveled map, (R,).
        length: Its pixels, (R,).
        shape: (h, w) of the map.
        count: Largest id; the box of an id that does not occur says nothing.

    Returns:
        As ``bounding_boxes``.
    """
    height, width = shape
    y = first // width
    left = first - y * width
    x0 = _present(owner, left, count, width).argmax(axis=1)
    x1 = _behind(_present(owner, left + length - 1, count, width))
    rows = _present(owner, y, count, height)
    corners = np.stack((x0, rows.argmax(axis=1), x1, _behind(rows)), axis=1)
    return [(a, b, c, d) for a, b, c, d in corners.tolist()]


def _present(
    owner: NDArray[np.intp], position: NDArray[np.intp], count: int, length: int
) -> NDArray[np.bool_]:
    """Which owner is where along one axis, (count, length)."""
    # Such a table beats ufunc.at, slow before NumPy 1.25.
    present = np.zeros((count + 1, length), np.bool_)
    present.ravel()[owner * length + position] = True
    return present[1:]


def _behind(present: NDArray[np.bool_]) -> NDArray[np.intp]:
    """One past the last position of each owner."""
    return np.asarray(present.shape[1] - present[:, ::-1].argmax(axis=1), np.intp)
