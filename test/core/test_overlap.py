# SPDX-License-Identifier: Apache-2.0
"""The joint histogram counts every pixel once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panoptic_ros.core.overlap import overlap


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.uint8, np.uint16, np.int32]),
    st.integers(1, 250),
)
def test_rows_and_columns_sum_to_the_areas(seed: int, kind: type, most: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, most + 1, (7, 9)).astype(kind) for _ in range(2))
    counts = overlap(a, b)
    assert counts.shape == (a.max() + 1, b.max() + 1)
    assert counts.sum(1).tolist() == np.bincount(a.ravel()).tolist()
    assert counts.sum(0).tolist() == np.bincount(b.ravel()).tolist()
    assert counts[a[3, 4], b[3, 4]] >= 1


def test_the_largest_ids_do_not_overflow() -> None:
    a = np.array([65_535, 0], np.uint16)
    assert overlap(a, np.array([1_000, 3], np.uint16))[65_535, 1_000] == 1


def test_maps_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        overlap(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8))


def test_empty_maps_have_no_pixels() -> None:
    assert overlap(np.zeros(0, np.uint8), np.zeros(0, np.uint8)).tolist() == [[0]]
