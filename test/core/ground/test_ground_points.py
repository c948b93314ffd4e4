# SPDX-License-Identifier: Apache-2.0
"""Measured points in the grid."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.clouds.labelling import label_cloud
from panoptic_ros.core.clouds.on_ground import ground_points
from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.core.ground.grid import FREE, OCCUPIED, UNKNOWN, Ground
from panoptic_ros.core.ground.ground_points import GroundPoints
from test.drawn.drawn_cloud import CAMERA, HEIGHT_M, Box, Scene

SHAPE, STEP_M, ORIGIN_M = (4, 6), 1.0, (0.0, -2.0)


def cells(
    *points: tuple[float, float, float, bool],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    places = np.array([point[:3] for point in points], np.float32).reshape(-1, 3)
    is_surface = np.array([point[3] for point in points], np.bool_)
    return GroundPoints(places, is_surface).cells(SHAPE, STEP_M, ORIGIN_M)


def test_surface_is_free_and_what_stands_on_it_occupied() -> None:
    free, occupied = cells(
        (1.5, 0.5, 0, True), (3.5, 0.5, 0.1, True), (3.5, 0.5, 0.8, False), (3.4, 0.5, 1, False)
    )
    assert np.argwhere(free).tolist() == [[2, 1]]
    assert np.argwhere(occupied).tolist() == [[2, 3]]


def test_one_stray_point_does_not_occupy_a_cell() -> None:
    free, occupied = cells((1.5, 0.5, 0, True), (1.5, 0.5, 0, True), (1.5, 0.5, 0.5, False))
    assert free.sum() == 1
    assert not occupied.any()


@pytest.mark.parametrize(("count", "is_occupied"), [(1, False), (2, True)])
def test_two_points_occupy_a_cell_on_their_own(count: int, is_occupied: bool) -> None:
    _, occupied = cells(*[(1.5, 0.5, 0.5, False)] * count)
    assert occupied.any() == is_occupied


@pytest.mark.parametrize(("z", "is_occupied"), [(2.5, False), (2.4375, True)])
def test_what_is_as_high_as_the_clearance_does_not_stand_in_the_way(
    z: float, is_occupied: bool
) -> None:
    _, occupied = cells((1.5, 0.5, 0.0, True), *[(1.5, 0.5, z, False)] * 3)
    assert occupied.any() == is_occupied


@pytest.mark.parametrize(("floor", "is_high"), [(0.0, True), (-2.0, True), (0.0, False)])
def test_what_hangs_above_does_not_stand_in_the_way(floor: float, is_high: bool) -> None:
    z = floor + (3.0 if is_high else 2.0)
    above = [(1.5, 0.5, z, False)] * 3
    _, occupied = cells((1.5, 0.5, floor, True), *above)
    assert occupied.any() != is_high


def test_points_outside_of_the_grid_do_not_matter() -> None:
    free, occupied = cells((-1, 0, 0, True), (9, 0, 0, True), (1, 5, 0, False), (1, -5, 0, False))
    assert not free.any()
    assert not occupied.any()
    assert not any(part.any() for part in cells())


def test_cells_with_points_are_as_these_say_and_the_others_as_the_image_says() -> None:
    scene = Scene((Box(9.0, 0.2),), step=2)
    cloud, _ = scene.cloud()
    labelled = label_cloud(cloud, scene.result(), CAMERA, scene.camera_from_cloud)
    pose = CameraPose.of_angles((0.0, 0.0, HEIGHT_M))
    ground = Ground(CAMERA, pose, GroundConfig(resolution_m=0.5, decay_s=0.0))
    result = labelled.result
    plain = ground.grid(result.panoptic, result.drivable, 10**9).cells
    measured = ground.grid(
        result.panoptic, result.drivable, 2 * 10**9, ground_points(labelled, pose)
    ).cells
    middle = plain.shape[0] // 2
    at_car = measured[middle - 1 : middle + 2, 13:14]
    assert (at_car == OCCUPIED).all()
    assert measured[middle, 12] == FREE
    # Behind the car nothing is seen, by neither sensor.
    assert measured[middle, 30] == UNKNOWN
    assert (plain != measured).any()
