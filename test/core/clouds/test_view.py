# SPDX-License-Identifier: Apache-2.0
"""The map pixel of a point, by the pinhole formula."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.clouds.view import view_of
from panoptic_ros.core.ground.camera_model import CameraModel

SIZE, MAP_SIZE = (1000, 400), (200, 250)
FOCAL_X, FOCAL_Y, CENTER = 500.0, 300.0, (480.0, 210.0)
RNG = np.random.default_rng(5)
POINTS = np.column_stack(
    (RNG.uniform(-8, 8, 500), RNG.uniform(-5, 5, 500), RNG.uniform(4, 20, 500))
).astype(np.float32)


def camera(skew: float = 0.0) -> CameraModel:
    matrix = (FOCAL_X, skew, CENTER[0], 0, FOCAL_Y, CENTER[1], 0, 0, 1)
    return CameraModel.of(SIZE, "plumb_bob", matrix, ())


@pytest.mark.parametrize("skew", [0.0, 40.0, -40.0])
def test_a_point_has_the_pixel_of_the_pinhole_formula(skew: float) -> None:
    seen = view_of(POINTS, np.eye(4), camera(skew), MAP_SIZE)
    x, y, z = POINTS.astype(np.float64).T
    column = ((FOCAL_X * x + skew * y) / z + CENTER[0] + 0.5) * MAP_SIZE[1] / SIZE[0]
    row = (FOCAL_Y * y / z + CENTER[1] + 0.5) * MAP_SIZE[0] / SIZE[1]
    inside = (column >= 0) & (column < MAP_SIZE[1]) & (row >= 0) & (row < MAP_SIZE[0])
    np.testing.assert_array_equal(seen.index, np.flatnonzero(inside))
    assert 50 < len(seen) < len(POINTS)
    pixels = np.floor(row).astype(int) * MAP_SIZE[1] + np.floor(column).astype(int)
    np.testing.assert_array_equal(seen.pixels, pixels[inside])


@pytest.mark.parametrize("places", [(), (1,), (3,), (1, 3)])
def test_a_point_has_the_pixel_at_which_the_camera_sees_it(places: tuple[int, ...]) -> None:
    matrix = np.array([FOCAL_X, 0, CENTER[0], 0, FOCAL_Y, CENTER[1], 0, 0, 1], np.float64)
    matrix[list(places)] = 40.0
    skewed = CameraModel.of(SIZE, "plumb_bob", matrix, ())
    seen = view_of(POINTS, np.eye(4), skewed, MAP_SIZE)
    places_px = (skewed.project(POINTS[seen.index]) + 0.5) * np.divide(MAP_SIZE[::-1], SIZE)
    column, row = np.floor(places_px).astype(int).T
    assert len(seen) > 50
    np.testing.assert_array_equal(seen.pixels, row * MAP_SIZE[1] + column)


def test_the_nearest_point_comes_first_to_a_centimetre() -> None:
    seen = view_of(POINTS, np.eye(4), camera(), MAP_SIZE)
    np.testing.assert_allclose(
        seen.range_m, np.linalg.norm(POINTS[seen.index].astype(np.float64), axis=1), rtol=1e-6
    )
    assert np.diff(seen.range_m[seen.by_range]).min() > -0.0101


@pytest.mark.parametrize(("ahead_m", "is_seen"), [(0.06, True), (0.05, False), (-4.0, False)])
def test_what_is_nearer_than_five_centimetres_is_in_no_view(ahead_m: float, is_seen: bool) -> None:
    point = np.array([[0.0, 0.0, ahead_m]], np.float32)
    assert len(view_of(point, np.eye(4), camera(), MAP_SIZE)) == is_seen


@pytest.mark.parametrize(
    ("u", "v", "is_seen"),
    [
        pytest.param(0, 0, True, id="upper left"),
        pytest.param(999, 399, True, id="lower right"),
        pytest.param(-1, 200, False, id="left of it"),
        pytest.param(1000, 200, False, id="right of it"),
        pytest.param(500, -1, False, id="above"),
        pytest.param(500, 400, False, id="below"),
    ],
)
def test_the_outermost_pixels_are_seen_and_nothing_beyond(u: int, v: int, is_seen: bool) -> None:
    point = np.array([[(u - CENTER[0]) / FOCAL_X, (v - CENTER[1]) / FOCAL_Y, 1.0]], np.float32)
    assert len(view_of(point, np.eye(4), camera(), MAP_SIZE)) == is_seen
