# SPDX-License-Identifier: Apache-2.0
"""Boxes and velocities of drawn cars whose size and way are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panoptic_ros.core.clouds.boxes import ObjectBox, boxes_of
from panoptic_ros.core.clouds.labelling import label_cloud
from panoptic_ros.core.clouds.object_filter import ObjectFilter
from test.drawn.drawn_cloud import CAMERA, CARS, HEIGHT_M, SECOND, Box, Scene

UP = np.array([0.0, 0.0, 1.0])


def boxes(scene: Scene, least_points: int = 5) -> list[ObjectBox]:
    cloud, _ = scene.cloud()
    found = label_cloud(cloud, scene.result(), CAMERA, scene.camera_from_cloud)
    return boxes_of(found, UP, least_points)


def test_boxes_have_the_ids_of_the_tracks() -> None:
    found = boxes(Scene(step=2))
    assert [box.track.id for box in found] == [10, 11, 12, 13, 14]
    assert all(box.track.label == 2 for box in found)


def test_a_car_seen_from_two_sides_has_its_size_and_place() -> None:
    scene = Scene((Box(14.0, -3.6),))
    (box,) = boxes(scene)
    assert box.size[:2] == pytest.approx([4.2, 1.8], abs=0.4)
    assert box.center[:2] + scene.lidar_m[:2] == pytest.approx([14.0, -3.6], abs=0.2)
    assert abs(box.axes[0, 0]) == pytest.approx(1.0, abs=0.01)


def test_the_box_lies_within_the_car() -> None:
    for box, car in zip(boxes(Scene(step=2)), CARS, strict=True):
        corner = 0.5 * np.abs(box.axes) @ box.size
        away = np.abs(box.center + Scene(step=2).lidar_m - car.center) + corner
        assert (away < 0.5 * car.size + 0.35).all()


@pytest.mark.parametrize("window", [(0.0, 0.0), (0.9, 1.3)])
def test_the_wall_behind_windows_does_not_lengthen_the_box(window: tuple[float, float]) -> None:
    found = boxes(Scene((Box(9.0, 1.5, window=window),)))
    assert found[0].size[0] < 4.6


def test_distance_is_that_of_the_nearest_side() -> None:
    (box,) = boxes(Scene((Box(9.0, 0.2),), step=2))
    assert box.distance_m == pytest.approx(6.9 - Scene(step=2).lidar_m[0], abs=0.15)


@pytest.mark.parametrize(
    "cars", [(), (Box(-20.0, 0.0),)], ids=["an empty street", "a car behind the camera"]
)
def test_a_cloud_without_objects_has_no_boxes(cars: tuple[Box, ...]) -> None:
    assert boxes(Scene(cars, step=4), least_points=1) == []


def test_few_points_give_no_box() -> None:
    far = Scene((Box(57.0, 0.0, 0.4, 0.5, 1.7),))
    count = boxes(far, least_points=1)[0].count
    assert boxes(far, least_points=count)
    assert not boxes(far, least_points=count + 1)


def test_covariance_grows_with_the_distance() -> None:
    near, far = (boxes(Scene((Box(x, 3.0),), step=2))[0] for x in (10.0, 40.0))
    assert np.trace(near.covariance) < np.trace(far.covariance)
    assert (np.linalg.eigvalsh(near.covariance) > 0).all()


def test_axes_are_a_rotation_with_height_up() -> None:
    for box in boxes(Scene(step=2)):
        assert box.axes @ box.axes.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(box.axes) == pytest.approx(1.0)
        assert box.axes[:, 2] == pytest.approx(UP, abs=1e-9)
        assert box.size[0] >= box.size[1]


def test_height_does_not_depend_on_where_up_is() -> None:
    scene = Scene((Box(9.0, 0.2),), step=2)
    cloud, _ = scene.cloud()
    turned = replace(cloud, points=np.ascontiguousarray(cloud.points[:, [1, 2, 0]]))
    pose = scene.camera_from_cloud.copy()
    pose[:3, :3] = pose[:3, [1, 2, 0]]
    found = label_cloud(turned, scene.result(), CAMERA, pose)
    (other,) = boxes_of(found, np.array([0.0, 1.0, 0.0]))
    (box,) = boxes(scene)
    assert other.size == pytest.approx(box.size, abs=1e-4)
    assert other.center == pytest.approx(box.center[[1, 2, 0]], abs=1e-4)


def drive(speed: tuple[float, float], own_m_s: float = 0.0) -> list[ObjectBox]:
    """The last boxes of a car that moves for a second and a half, seen by a moving sensor."""
    tracked, found = ObjectFilter(), []
    for number in range(8):
        time_s = number / 5
        x = 14.0 + (speed[0] - own_m_s) * time_s
        scene = Scene((Box(x, -3.6 + speed[1] * time_s),), SECOND + number * SECOND // 5, step=2)
        fixed = np.eye(4)
        fixed[0, 3] = own_m_s * time_s
        found = tracked.update(boxes(scene), scene.stamp_ns, fixed)
    return found


@pytest.mark.parametrize(
    ("speed", "own_m_s"), [((0, 0), 0), ((5, 0), 0), ((-4, 1), 0), ((0, 0), 5)]
)
def test_velocity_is_that_of_the_car(speed: tuple[float, float], own_m_s: float) -> None:
    (box,) = drive(speed, own_m_s)
    deviation = np.sqrt(np.diag(box.velocity_covariance))
    assert box.velocity == pytest.approx([*speed, 0.0], abs=0.5)
    assert (np.abs(box.velocity - [*speed, 0.0]) < 3 * deviation).all()
    assert (deviation < 1.0).all()


def test_the_length_of_what_moves_points_ahead() -> None:
    assert drive((5, 0))[0].axes[0, 0] > 0.9
    assert drive((-5, 0))[0].axes[0, 0] < -0.9


def test_velocity_is_unknown_at_first_and_after_a_jump_back_in_time() -> None:
    tracked, found = ObjectFilter(), boxes(Scene((Box(9.0, 0.2),), step=2))
    assert np.isnan(tracked.update(found, 2 * SECOND)[0].velocity).all()
    assert np.isfinite(tracked.update(found, 3 * SECOND)[0].velocity).all()
    assert np.isnan(tracked.update(found, 1 * SECOND)[0].velocity).all()


def test_an_object_that_was_gone_for_long_starts_anew() -> None:
    tracked, found = ObjectFilter(), boxes(Scene((Box(9.0, 0.2),), step=2))
    tracked.update(found, SECOND)
    tracked.update([], 3 * SECOND)
    assert np.isnan(tracked.update(found, 4 * SECOND)[0].velocity).all()


def test_the_drawn_cars_stand_on_the_plane() -> None:
    for box in boxes(Scene(step=2)):
        bottom = box.center[2] - 0.5 * box.size[2] + Scene(step=2).lidar_m[2]
        assert bottom == pytest.approx(-HEIGHT_M, abs=0.45)
