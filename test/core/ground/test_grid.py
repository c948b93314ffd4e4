# SPDX-License-Identifier: Apache-2.0
"""A drawn plane seen by a known camera comes back as the same plane, to a cell."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.drivable.free_space import free_space_boundary
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.core.ground.grid import FREE, OCCUPIED, UNKNOWN, Boundary, Ground
from panoptic_ros.core.ground.laser_scan import laser_scan_of
from panoptic_ros.core.types import VOID, Drivable, Panoptic

SIZE = (1280, 720)
K = [900.0, 0.0, 650.0, 0.0, 910.0, 350.0, 0.0, 0.0, 1.0]
CONFIG = GroundConfig(resolution_m=0.25, length_m=20.0, width_m=12.0, wall_m=0.75, decay_s=1.0)
CAMERAS = {
    "no distortion": CameraModel.of(SIZE, "plumb_bob", K, []),
    "plumb_bob": CameraModel.of(SIZE, "plumb_bob", K, [-0.25, 0.06, 1e-3, -5e-4, 0.0]),
    "equidistant": CameraModel.of(
        SIZE, "equidistant", [420.0, 0, 650, 0, 425, 350, 0, 0, 1], [0.02, -0.01, 0.003, 0.0]
    ),
}
POSITION = (0.8, -0.3, 1.4)
ANGLES = (0.08, 0.03, -0.05)
MOUNTING = CameraPose.of_angles(POSITION, *ANGLES)
ROAD = ((1.5, -4.0), (18.0, -4.0), (18.0, 4.0), (1.5, 4.0))
CAR = ((9.0, -1.5), (12.0, -1.5), (12.0, 1.5), (9.0, 1.5))


def seen_at(camera: CameraModel, ground: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels of ground places, by OpenCV alone."""
    pitch, roll, yaw = ANGLES
    axes = ((0.0, 0.0, yaw), (0.0, pitch, 0.0), (roll, 0.0, 0.0))
    turns = [cv2.Rodrigues(np.array(axis))[0] for axis in axes]
    ahead = turns[0] @ turns[1] @ turns[2] @ np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0.0]])
    rotation = ahead.T
    places = np.column_stack((ground, np.zeros(len(ground))))
    shift = -rotation @ np.array(POSITION)
    turn, matrix = cv2.Rodrigues(rotation)[0], camera.matrix
    if camera.model == "equidistant":
        pixels, _ = cv2.fisheye.projectPoints(
            places[:, None], turn, shift[:, None], matrix, camera.distortion
        )
    else:
        pixels, _ = cv2.projectPoints(places, turn, shift, matrix, camera.distortion)
    return np.asarray(pixels.reshape(-1, 2), np.float64)


def drawn(camera: CameraModel, *polygons: tuple[tuple[float, float], ...]) -> NDArray[np.bool_]:
    """Draw the first polygon and cut the others out, at the camera's size."""
    canvas = np.zeros(SIZE[::-1], np.uint8)
    for number, polygon in enumerate(polygons):
        corners = np.array(polygon)
        steps = np.linspace(0, 1, 200, endpoint=False)[:, None]
        following = np.roll(corners, -1, axis=0)
        sides = [a + steps * (b - a) for a, b in zip(corners, following, strict=True)]
        outline = np.round(seen_at(camera, np.concatenate(sides)) * 16).astype(np.int32)
        cv2.fillPoly(canvas, [outline], 0 if number else 1, shift=4)
    return canvas > 0


def surface(mask: NDArray[np.bool_], ends: int = 2) -> tuple[Panoptic, Drivable]:
    labels = np.where(mask, 0, 1).astype(np.uint8)
    nothing = np.zeros(mask.shape, np.uint16)
    classes = np.full(mask.shape[1], ends, np.uint8)
    sure = mask.astype(np.uint8)
    found = Drivable(mask, sure, free_space_boundary(mask), classes)
    return Panoptic(labels, nothing, sure, ()), found


def inside(polygon: tuple[tuple[float, float], ...], grow: float) -> NDArray[np.bool_]:
    """Which cells' middles lie in an upright box that is grown on all sides."""
    (x0, y0), (x1, y1) = np.min(polygon, axis=0) - grow, np.max(polygon, axis=0) + grow
    x = 0.25 * (np.arange(80) + 0.5)
    y = -6.0 + 0.25 * (np.arange(48) + 0.5)
    return ((y >= y0) & (y <= y1))[:, None] & ((x >= x0) & (x <= x1))


def in_sight(camera: CameraModel, rim_px: float) -> NDArray[np.bool_]:
    """Which cells' middles are in the image without a rim of so many pixels."""
    y, x = np.meshgrid(
        -6 + 0.25 * (np.arange(48) + 0.5), 0.25 * (np.arange(80) + 0.5), indexing="ij"
    )
    pixels = seen_at(camera, np.column_stack((x.ravel(), y.ravel())))
    last = np.array(SIZE) - 1 - rim_px
    is_inside = ((pixels >= rim_px) & (pixels <= last)).all(axis=1)
    return is_inside.reshape(x.shape)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS.keys())
def test_the_grid_is_the_drawn_plane_to_a_cell(camera: CameraModel) -> None:
    grid = Ground(camera, MOUNTING, CONFIG).grid(*surface(drawn(camera, ROAD, CAR)), 1)
    assert grid.cells.shape == (48, 80)
    assert grid.origin_m == (0.0, -6.0)
    # OpenCV alone does not know what lies behind a camera.
    ahead = np.arange(80) * 0.25 > POSITION[0] + 0.5
    visible, hidden = ahead & in_sight(camera, 0.0), ahead & ~in_sight(camera, -1.0)
    surely_free = visible & inside(ROAD, -0.25) & ~inside(CAR, 0.25)
    surely_not = hidden | ~inside(ROAD, 0.25) | inside(CAR, -0.25)
    assert surely_free.sum() > 500
    assert (grid.cells[surely_free] == FREE).all()
    assert (grid.cells[surely_not] != FREE).all()
    rim = inside(CAR, -0.25) & ~inside(CAR, -0.5)
    assert (grid.cells[rim] == OCCUPIED).all()
    assert (grid.cells[inside(CAR, -0.95)] == UNKNOWN).all()
    assert (grid.cells[hidden] == UNKNOWN).all()


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS.keys())
def test_the_boundary_is_where_the_plane_ends(camera: CameraModel) -> None:
    found = Ground(camera, MOUNTING, CONFIG).boundary(surface(drawn(camera, ROAD, CAR))[1])
    x, y = found.points_m.T
    at_car = found.is_end & (np.abs(y) < 0.9) & (x > 8)
    assert at_car.sum() > 20
    one_row_m = (9.0 - POSITION[0]) ** 2 / (camera.matrix[1, 1] * POSITION[2])
    np.testing.assert_allclose(x[at_car], 9.0, atol=1.1 * one_row_m)
    assert set(found.ends.tolist()) == {2}


def test_a_camera_that_looks_straight_ahead_sees_alike_to_both_sides() -> None:
    k = [40.0, 0.0, 31.5, 0.0, 40.0, 23.5, 0.0, 0.0, 1.0]
    pose = CameraPose.of_angles((0.0, 0.0, 1.4), 0.1, 0.0, 0.0)
    mask = np.arange(12)[:, None] >= np.full(16, 8)
    ground = Ground(CameraModel.of((64, 48), "plumb_bob", k, []), pose, CONFIG)
    points = ground.boundary(surface(mask)[1]).points_m
    assert len(points) == 16
    np.testing.assert_allclose(points, points[::-1] * (1.0, -1.0), atol=1e-5)


def test_a_small_map_gives_the_same_plane() -> None:
    camera = CAMERAS["plumb_bob"]
    mask = drawn(camera, ROAD)
    small = np.ascontiguousarray(mask[1::3, 1::3])
    ground = Ground(camera, MOUNTING, CONFIG)
    large_cells = ground.grid(*surface(mask), 1).cells
    small_cells = ground.grid(*surface(small), 2).cells
    differs = (large_cells == FREE) != (small_cells == FREE)
    edge = inside(ROAD, 0.5) & ~inside(ROAD, -0.5)
    assert (large_cells == FREE).sum() > 500
    assert not (differs & ~edge).any()


def test_void_is_unknown_and_never_occupied() -> None:
    camera = CAMERAS["no distortion"]
    panoptic, found = surface(drawn(camera, ROAD, CAR))
    void = replace(panoptic, labels=np.where(found.mask, 0, VOID).astype(np.uint8))
    cells = Ground(camera, MOUNTING, CONFIG).grid(void, found, 1).cells
    assert set(np.unique(cells[~inside(ROAD, 0.25) | inside(CAR, -0.25)]).tolist()) == {UNKNOWN}


def test_an_occupied_cell_fades_when_it_is_out_of_sight() -> None:
    camera = CAMERAS["no distortion"]
    ground = Ground(camera, MOUNTING, CONFIG)
    ground.grid(*surface(drawn(camera, ROAD, CAR)), 10**9)
    panoptic, nothing = surface(np.zeros(SIZE[::-1], np.bool_))
    rim = inside(CAR, -0.25) & ~inside(CAR, -0.5)
    seen = [
        np.unique(ground.grid(panoptic, nothing, stamp_ns).cells[rim]).tolist()
        for stamp_ns in (1_250_000_000, 1_750_000_000, 2_000_000_000)
    ]
    assert seen == [[75], [25], [UNKNOWN]]


def test_what_is_seen_free_forgets_the_obstacle() -> None:
    camera = CAMERAS["no distortion"]
    ground = Ground(camera, MOUNTING, CONFIG)
    ground.grid(*surface(drawn(camera, ROAD, CAR)), 10**9)
    ground.grid(*surface(drawn(camera, ROAD)), 10**9 + 1)
    nothing = surface(np.zeros(SIZE[::-1], np.bool_))
    cells = ground.grid(*nothing, 10**9 + 2).cells
    assert (cells[inside(CAR, -0.25)] == UNKNOWN).all()


@pytest.mark.parametrize(
    "times_s",
    [
        pytest.param((10.0, 10.0), id="time stands still"),
        pytest.param((10.0, 2.0, 9.9, 10.1), id="a recording that starts again"),
    ],
)
def test_obstacles_of_another_time_are_not_remembered(times_s: tuple[float, ...]) -> None:
    camera = CAMERAS["no distortion"]
    ground = Ground(camera, MOUNTING, CONFIG)
    first, *others = (round(time_s * 1e9) for time_s in times_s)
    assert (ground.grid(*surface(drawn(camera, ROAD, CAR)), first).cells == OCCUPIED).any()
    nothing = surface(np.zeros(SIZE[::-1], np.bool_))
    seen = [set(np.unique(ground.grid(*nothing, stamp_ns).cells)) for stamp_ns in others]
    assert seen == [{UNKNOWN}] * len(others)


def test_above_the_horizon_the_free_space_is_as_far_as_the_range() -> None:
    camera = CAMERAS["no distortion"]
    _, found = surface(np.ones(SIZE[::-1], np.bool_))
    boundary = Ground(camera, CameraPose.of_angles((0, 0, 1.4)), CONFIG).boundary(found)
    assert not boundary.is_end.any()
    np.testing.assert_allclose(np.hypot(*boundary.points_m.T), 20.0, rtol=1e-5)
    assert len(boundary.polygon()) == 2 * SIZE[0]
    assert np.isinf(laser_scan_of(boundary).ranges_m).all()


@pytest.mark.parametrize(("length_m", "is_end"), [(7.75, False), (8.0, True), (8.25, True)])
def test_what_ends_the_surface_exactly_at_the_range_is_an_end(
    length_m: float, is_end: bool
) -> None:
    k = [64.0, 0.0, 32.0, 0.0, 64.0, 15.5, 0.0, 0.0, 1.0]
    camera = CameraModel.of((64, 48), "plumb_bob", k, [])
    pose = CameraPose.of_angles((0.0, 0.0, 2.0), 0.0, 0.0, 0.0)
    mask = np.arange(48)[:, None] >= np.full(64, 32)
    ground = Ground(camera, pose, replace(CONFIG, length_m=length_m))
    boundary = ground.boundary(surface(mask)[1])
    assert boundary.is_end[32] == is_end
    assert boundary.points_m[32].tolist() == [min(length_m, 8.0), 0.0]


def test_a_scan_has_the_nearest_end_of_each_direction() -> None:
    points = np.array([[5.0, 5.0], [3.0, 3.0], [8.0, 0.0], [9.0, -9.0]])
    boundary = Boundary(points, np.array([True, True, True, False]), np.zeros(4, np.uint8), points)
    scan = laser_scan_of(boundary, math.radians(45.0))
    assert scan.first_rad == pytest.approx(-math.pi / 4)
    np.testing.assert_allclose(scan.ranges_m, [np.inf, 8.0, math.hypot(3, 3)], rtol=1e-6)


def test_directions_between_two_columns_take_the_nearer_range() -> None:
    points = np.array([[4.0, 4.0], [8.0, 0.0]])
    boundary = Boundary(points, np.ones(2, np.bool_), np.zeros(2, np.uint8), points)
    ranges = laser_scan_of(boundary, math.radians(15.0)).ranges_m
    np.testing.assert_allclose(ranges, [8, math.hypot(4, 4), *[math.hypot(4, 4)] * 2], rtol=1e-6)


@pytest.mark.parametrize("yaw_deg", [0.0, 90.0, -90.0, 150.0, 180.0, -160.0])
def test_a_scan_covers_what_the_camera_sees_wherever_it_looks(yaw_deg: float) -> None:
    angles = np.radians(yaw_deg + np.linspace(40.0, -40.0, 161))
    points = 5.0 * np.column_stack((np.cos(angles), np.sin(angles)))
    is_end = np.arange(161) > 80
    scan = laser_scan_of(Boundary(points, is_end, np.zeros(161, np.uint8), points))
    assert scan.ranges_m.size == 161
    right, left = np.array_split(scan.ranges_m, [80])
    np.testing.assert_allclose(right, 5.0)
    assert np.isinf(left).all()
    first = np.array([np.cos(scan.first_rad), np.sin(scan.first_rad)])
    np.testing.assert_allclose(5.0 * first, points[-1], atol=1e-6)


def test_a_scan_of_nothing_is_empty() -> None:
    nothing = np.zeros((0, 2))
    empty = Boundary(nothing, np.zeros(0, np.bool_), np.zeros(0, np.uint8), nothing)
    assert laser_scan_of(empty).ranges_m.size == 0


def test_a_grid_of_too_many_cells_is_refused() -> None:
    config = replace(CONFIG, resolution_m=0.01, length_m=1000.0, width_m=1000.0)
    with pytest.raises(ConfigError, match="make resolution_m"):
        Ground(CAMERAS["no distortion"], MOUNTING, config)
