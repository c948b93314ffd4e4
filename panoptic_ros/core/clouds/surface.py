# SPDX-License-Identifier: Apache-2.0
"""The surface of every object among the points on its pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.view import View
from panoptic_ros.core.types import NO_ID

GAP_M, GAP_SHARE = 0.7, 0.02
"""Points of one object leave no gap in range above so much plus that share of their range."""

MARGIN_M, MARGIN_SHARE = 0.3, 0.01
"""On the edge of its mask an object reaches so much farther, and that share of its range."""

_LEAST_INNER = 3


def is_on_surface(
    ids: NDArray[np.uint16],
    view: View,
    is_seen: NDArray[np.bool_],
    is_inner: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Say which points belong to what their pixel shows.

    The points on the pixels of one object fall into groups by their range: the object, what is
    seen past its edges or through its windows, what stands before it. The largest group is the
    object, the nearest one of several that are equal. Points on the edge of the mask only count
    where the object has none elsewhere.

    Args:
        ids: Object on the pixel of each point, 0 for none, (m,).
        view: The points.
        is_seen: Which of them to look at, (m,).
        is_inner: Whether they are off the edge of the mask, (m,).

    Returns:
        (m,) bool, true where there is no object.
    """
    asked = is_seen & (ids != NO_ID)
    if not asked.any():
        return np.ones(len(ids), np.bool_)
    inner = np.bincount(ids[asked & is_inner], minlength=int(ids.max()) + 1)
    asked &= is_inner | (inner < _LEAST_INNER).take(ids)
    low, high = _reach(ids, view, asked, inner.size)
    near, far = low.take(ids), high.take(ids)
    margin = MARGIN_SHARE * view.range_m + MARGIN_M
    return (view.range_m >= near - margin) & (view.range_m <= far + margin)


def _reach(
    ids: NDArray[np.uint16], view: View, asked: NDArray[np.bool_], length: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Range of the nearest and of the farthest point of each object, by id below ``length``."""
    chosen = view.by_range[asked.take(view.by_range)]
    ranks = chosen.take(np.argsort(ids.take(chosen), kind="stable"))
    numbers, ranges = ids.take(ranks), view.range_m.take(ranks)
    is_first = np.ones(len(ranks), np.bool_)
    gap = np.diff(ranges) > GAP_M + GAP_SHARE * ranges[:-1]
    is_first[1:] = gap | (numbers[1:] != numbers[:-1])
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(ranks)) - 1
    # Written from the smallest group to the largest, so that this stays.
    order = np.lexsort((-first, last - first))
    low, high = np.full(length, -np.inf, np.float32), np.full(length, np.inf, np.float32)
    low[numbers[first[order]]] = ranges[first[order]]
    high[numbers[first[order]]] = ranges[last[order]]
    return low, high
