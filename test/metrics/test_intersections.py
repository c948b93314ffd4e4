# SPDX-License-Identifier: Apache-2.0
"""Shared pixels of maps with large ids, against counting one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from panoptic_ros.metrics.intersections import intersect

MAPS = hnp.arrays(
    np.uint32,
    st.shared(hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), key="shape"),
    elements=st.sampled_from([0, 1, 2, 1000, 2**24 - 1, 2**32 - 1]),
)


@given(MAPS, MAPS)
def test_counts_every_pair(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> None:
    shared = intersect(a, b)
    found = list(
        zip(shared.truth.tolist(), shared.predicted.tolist(), shared.pixels.tolist(), strict=True)
    )
    counted = Counter(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))
    assert found == [(*pair, count) for pair, count in sorted(counted.items())]


@given(MAPS, MAPS)
def test_areas_are_those_of_the_maps(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> None:
    shared = intersect(a, b)
    assert shared.truth_areas() == Counter(a.ravel().tolist())
    assert shared.predicted_areas() == Counter(b.ravel().tolist())


def test_empty_maps_share_nothing() -> None:
    empty = np.zeros((0, 4), np.uint32)
    assert intersect(empty, empty).pixels.size == 0


def test_refuses_maps_of_different_shape() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        intersect(np.zeros((1, 2), np.uint32), np.zeros((2, 1), np.uint32))
