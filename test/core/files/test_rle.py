# SPDX-License-Identifier: Apache-2.0
"""Compressed run lengths: there and back, and as COCO's tools write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.rle import decode, encode

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))


@given(MASKS)
def test_a_mask_comes_back(mask: NDArray[np.bool_]) -> None:
    assert decode(encode(mask), mask.shape).tolist() == mask.tolist()


@pytest.mark.parametrize("length", [1, 15, 16, 31, 32, 511, 512, 1023, 1024, 40000])
def test_long_runs_come_back(length: int) -> None:
    mask = np.zeros((3 * length, 1), np.bool_)
    mask[length : length + 1] = True
    mask[2 * length :] = True
    assert decode(encode(mask), mask.shape).tolist() == mask.tolist()


@pytest.mark.reference
@given(MASKS, st.integers(1, 60))
def test_equals_hotcoco(mask: NDArray[np.bool_], scale: int) -> None:
    reference = pytest.importorskip("hotcoco").mask
    large = mask.repeat(scale, axis=0)
    theirs = reference.encode(np.asfortranarray(large.astype(np.uint8)))
    counts = theirs["counts"]
    text = counts.decode("ascii") if isinstance(counts, bytes) else counts
    assert encode(large) == text
    assert decode(text, large.shape).tolist() == large.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("2", "cover 2 pixels, the mask has 4", id="too short"),
        pytest.param("25", "cover 7 pixels, the mask has 4", id="too long"),
        pytest.param("2 2", "have the character ' '", id="no such character"),
        pytest.param("2R", "end in the middle", id="cut"),
        pytest.param("O5", "cover 4 pixels", id="negative run"),
        pytest.param("", "cover 0 pixels", id="empty"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        decode(text, (2, 2))
