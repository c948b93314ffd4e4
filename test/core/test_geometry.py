# SPDX-License-Identifier: Apache-2.0
"""Pixels keep their place between camera and network, whatever the two sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.geometry import enlarge, enlarge_box, shrink

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def test_an_image_of_the_right_size_arrives_unchanged() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    assert (shrink(image, np.empty((6, 8, 3), np.uint8)) == image).all()


def test_a_bgr_view_gives_the_same_numbers_as_its_rgb_copy() -> None:
    bgr = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    view, copy = bgr[..., ::-1], np.ascontiguousarray(bgr[..., ::-1])
    out = [np.empty((32, 32, 3), np.uint8) for _ in range(2)]
    assert (shrink(view, out[0]) == shrink(copy, out[1])).all()


def test_the_result_lies_in_the_buffer_that_was_given() -> None:
    out = np.zeros((4, 4, 3), np.uint8)
    assert shrink(np.full((9, 9, 3), 77, np.uint8), out) is out
    assert (out == 77).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
    ids=["grey", "four channels", "empty", "float"],
)
def test_what_is_no_colour_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(FrameError, match=r"needs uint8 \(H, W, 3\)"):
        shrink(image, np.empty((4, 4, 3), np.uint8))


@given(SIZES, SIZES)
def test_a_map_pixel_covers_the_camera_pixels_nearest_to_it(
    map_size: tuple[int, int], size: tuple[int, int]
) -> None:
    values = np.arange(map_size[0] * map_size[1], dtype=np.uint16).reshape(map_size)
    large = enlarge(values, size)
    rows, columns = (
        ((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(size, map_size, strict=True)
    )
    assert large.tolist() == values[rows][:, columns].tolist()


@given(SIZES, SIZES, st.data())
def test_an_enlarged_box_is_the_box_of_the_enlarged_mask(
    map_size: tuple[int, int], size: tuple[int, int], data: st.DataObject
) -> None:
    y0 = data.draw(st.integers(0, map_size[0] - 1))
    x0 = data.draw(st.integers(0, map_size[1] - 1))
    y1 = data.draw(st.integers(y0 + 1, map_size[0]))
    x1 = data.draw(st.integers(x0 + 1, map_size[1]))
    mask = np.zeros(map_size, np.uint8)
    mask[y0:y1, x0:x1] = 1
    rows, columns = np.nonzero(enlarge(mask, size))
    left, top, right, bottom = enlarge_box((x0, y0, x1, y1), map_size, size)
    if rows.size:
        expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert (left, top, right, bottom) == expected
    else:
        assert left >= right or top >= bottom


def test_an_image_that_was_not_read_is_refused() -> None:
    with pytest.raises(FrameError, match="image is NoneType, needs a NumPy array"):
        shrink(None, np.zeros((2, 2, 3), np.uint8))  # type: ignore[arg-type]
