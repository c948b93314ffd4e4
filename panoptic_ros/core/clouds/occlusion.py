# SPDX-License-Identifier: Apache-2.0
"""Which points a camera cannot see because other points stand before them.

A LiDAR sits elsewhere than the camera, so it sees surfaces that are hidden in the image. Where the
points in front are dense enough, those behind are found in the image plane, as in Pintus, Gobbetti
and Agus, Real-time rendering of massive unstructured raw point clouds using screen-space operators
(2011): a point is hidden where nearer ones lie around it, not on one side only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.view import View

MARGIN_M, MARGIN_SHARE = 0.3, 0.03
"""A point is behind another where it is farther by more than so much and that share of its
range."""

_SPACING = 1.5
"""Side of a cell in mean distances between points."""

_COARSEST_PX = 16


def is_hidden(
    view: View, shown: NDArray[np.intp], is_inner: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say which points in view lie behind a surface of nearer points, (len(view),) bool.

    A point is hidden where its cell of the image has a nearer point, the cells above have too, and
    so have those below or those on the left and on the right. Ground that runs away from the
    camera has farther points above, so it hides nothing of itself. What hides a point is what
    its pixel shows: points on pixels that show something else do not count.

    Args:
        view: The points.
        shown: Number of what the pixel of each point shows, object or class, 0.., (len(view),).
        is_inner: Whether the pixels around show the same; other points hide nothing, as they may
            lie on what is beside, (len(view),).
    """
    hidden = np.zeros(len(view), np.bool_)
    if not is_inner.any():
        return hidden
    cells, width, size = _cells(view)
    cells += _ranks(shown).take(shown) * size
    nearest = _nearest(view, cells, is_inner, room=2 * width)
    limit = view.range_m * np.float32(1 - MARGIN_SHARE) - np.float32(MARGIN_M)
    behind = np.flatnonzero(nearest.take(cells) < limit)
    cell, far = cells.take(behind), limit.take(behind)
    above, below = _near_one(nearest, cell, -width) < far, _near_one(nearest, cell, width) < far
    beside = (_near_one(nearest, cell, -1) < far) & (_near_one(nearest, cell, 1) < far)
    hidden[behind[above & (below | beside)]] = True
    return hidden


def _ranks(numbers: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rank of every number among those that occur."""
    return np.cumsum(np.bincount(numbers) > 0) - 1


def _cells(view: View) -> tuple[NDArray[np.intp], int, int]:
    """Cell of each point in a grid with an empty frame of two cells; its width and its size."""
    height, width = view.size
    pixels = view.pixels.astype(np.int32)
    row = pixels // np.int32(width)
    column = pixels - row * np.int32(width)
    # Sensors rarely fill the image: what counts is the part that they fill.
    filled = (int(row.max()) - int(row.min()) + 1) * (int(column.max()) - int(column.min()) + 1)
    side = min(_COARSEST_PX, max(1, round(_SPACING * math.sqrt(filled / len(view)))))
    across = width // side + 5
    cells = ((row // side + 2) * across + column // side + 2).astype(np.intp)
    return cells, across, across * (height // side + 5)


def _nearest(
    view: View, cells: NDArray[np.intp], counts: NDArray[np.bool_], room: int
) -> NDArray[np.float32]:
    """Least range in each cell, infinite where there is none; with room behind the last one."""
    nearest = np.full(int(cells.max()) + room + 1, np.inf, np.float32)
    # Of several values for one cell the last one stays.
    order = view.by_range[counts.take(view.by_range)][::-1]
    nearest[cells.take(order)] = view.range_m.take(order)
    return nearest


def _near_one(
    flat: NDArray[np.float32], cells: NDArray[np.intp], step: int
) -> NDArray[np.float32]:
    """Nearer one of the next two cells in a direction."""
    return np.minimum(flat.take(cells + step), flat.take(cells + 2 * step))
