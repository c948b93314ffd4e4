# SPDX-License-Identifier: Apache-2.0
"""Which points nearer ones hide, on views of a few points."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.clouds.occlusion import is_hidden
from panoptic_ros.core.clouds.view import View

SIZE = (6, 5)


def view(*points: tuple[int, int, float]) -> View:
    """Points as (row, column, range)."""
    pixels = np.array([row * SIZE[1] + column for row, column, _ in points], np.intp)
    range_m = np.array([range_m for _, _, range_m in points], np.float32)
    order = np.argsort(range_m, kind="stable")
    return View(np.arange(len(points)), pixels, range_m, order, SIZE)


def hidden(seen: View) -> list[bool]:
    """Everything shows one thing, and nothing lies on an edge of it."""
    shown, is_inner = np.zeros(len(seen), np.intp), np.ones(len(seen), np.bool_)
    return is_hidden(seen, shown, is_inner).tolist()


@pytest.mark.parametrize("row", range(SIZE[0]))
@pytest.mark.parametrize("column", range(SIZE[1]))
def test_dense_points_are_looked_at_in_every_pixel(row: int, column: int) -> None:
    """Two of one pixel, as of a depth image that has more pixels than the map."""
    assert hidden(view((row, column, 1.0), (row, column, 5.0))) == [False, False]


def test_a_point_behind_nearer_ones_above_and_below_is_hidden() -> None:
    around = [(row, 2, 1.0) for row in (1, 2, 3)]
    assert hidden(view(*around, (2, 2, 5.0))) == [False, False, False, True]
