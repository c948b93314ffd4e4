# SPDX-License-Identifier: Apache-2.0
"""Clouds on their way to labels: what the vehicle drove between cloud and image counts."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.clouds.cloud import PointCloud
from panoptic_ros.core.clouds.pairing import MOST_WAITING
from panoptic_ros.core.config import GroundConfig, PointsConfig
from panoptic_ros.core.ground.extrinsics import rotation_of
from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.core.result import Result
from panoptic_ros.messages.clouds.cloud_stage import (
    CloudResult,
    CloudSettings,
    CloudStage,
    SensorMessage,
)
from panoptic_ros.messages.clouds.cloud_statistics import CloudStatistics
from panoptic_ros.messages.clouds.point_cloud import cloud_message
from panoptic_ros.recordings.bag_writer import bag_types
from test.drawn.drawn_cloud import CAMERA, LIDAR_M, SECOND, TO_BODY, Box, Scene

TYPES = bag_types()
SPEED_M_S, LATE_NS = 15.0, 80_000_000
SETTINGS = CloudSettings(PointsConfig(), GroundConfig())
ROI = SimpleNamespace(x_offset=0, y_offset=0, height=0, width=0)
INFO: Any = SimpleNamespace(
    height=CAMERA.size[1],
    width=CAMERA.size[0],
    distortion_model="plumb_bob",
    k=CAMERA.matrix.ravel(),
    d=np.zeros(5),
    binning_x=0,
    binning_y=0,
    roi=ROI,
)


def tree(is_driving: bool) -> TransformTree:
    """Camera and LiDAR on a vehicle that drives ahead, on TF."""
    made = TransformTree()
    camera, lidar = np.eye(4), np.eye(4)
    camera[:3, :3], lidar[:3, 3] = TO_BODY, LIDAR_M
    made.put("camera", "base", camera)
    made.put("lidar", "base", lidar)
    for time_ns in range(0, 3 * SECOND, SECOND // 10) if is_driving else ():
        pose = np.eye(4)
        pose[0, 3] = SPEED_M_S * time_ns / SECOND
        made.put("base", "odom", pose, time_ns)
    return made


def message(cloud: PointCloud) -> SensorMessage:
    points = np.zeros(len(cloud), [(name, "f4") for name in ("x", "y", "z", "intensity")])
    points["x"], points["y"], points["z"] = cloud.points.T
    stamp = TYPES.make(
        "builtin_interfaces/msg/Time",
        sec=cloud.stamp_ns // SECOND,
        nanosec=cloud.stamp_ns % SECOND,
    )
    header = TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id=cloud.frame_id)
    return SensorMessage(cloud_message(points, cloud.shape, TYPES, header))


def result_at(scene: Scene) -> Result:
    made = replace(scene, stamp_ns=SECOND + LATE_NS).result()
    return replace(made, frame=replace(made.frame, frame_id="camera"))


def labelled(tree: TransformTree, settings: CloudSettings = SETTINGS) -> CloudResult:
    """A cloud from before the image: the car was farther away then by what was driven since."""
    way_m = SPEED_M_S * LATE_NS / SECOND
    early, _ = Scene((Box(9.0 + way_m, -1.0),), step=2).cloud()
    statistics = CloudStatistics()
    stage = CloudStage(tree, statistics)
    stage.put(message(early))
    (found,) = stage.take(result_at(Scene((Box(9.0, -1.0),), step=2)), INFO, settings)
    assert (statistics.problem, statistics.dropped) == ("", 0)
    return found


def wrong(found: CloudResult) -> int:
    """Points on the car without its id, and others with it."""
    points = found.labelled.cloud.points
    on_car = np.zeros(len(points), np.bool_)
    _, hit = Scene((Box(9.0 + SPEED_M_S * LATE_NS / SECOND, -1.0),), step=2).cloud()
    on_car[found.labelled.view.index] = hit[found.labelled.view.index] == 3
    return int((on_car != (found.labelled.ids == 10)).sum())


def test_what_was_driven_between_the_stamps_is_taken_into_account() -> None:
    moved, still = labelled(tree(True)), labelled(tree(False))
    shift = moved.labelled.camera_from_cloud - still.labelled.camera_from_cloud
    assert shift[2, 3] == pytest.approx(-SPEED_M_S * LATE_NS / SECOND, abs=1e-6)
    assert wrong(moved) < 0.5 * wrong(still)


def test_clouds_for_which_no_image_comes_give_way_and_are_counted() -> None:
    statistics = CloudStatistics()
    stage = CloudStage(TransformTree(), statistics)
    cloud, _ = Scene((Box(9.0, -1.0),), step=8).cloud()
    for _ in range(MOST_WAITING):
        stage.put(message(cloud))
    assert (statistics.dropped, statistics.problem) == (0, "")
    stage.put(message(cloud))
    assert statistics.dropped == statistics.totals()["dropped_no_image"] == 1
    assert "waiting for images that do not come" in statistics.problem
    assert statistics.totals()["received"] == MOST_WAITING + 1


def test_an_empty_name_of_the_fixed_frame_leaves_the_motion_out() -> None:
    plain = CloudSettings(PointsConfig(fixed_frame=""), GroundConfig())
    still = labelled(tree(False)).labelled.camera_from_cloud
    np.testing.assert_allclose(labelled(tree(True), plain).labelled.camera_from_cloud, still)


def test_a_turned_image_turns_the_points() -> None:
    upright = labelled(tree(True)).labelled.camera_from_cloud
    turned = CloudSettings(PointsConfig(), GroundConfig(), rotation=180)
    about = labelled(tree(True), turned).labelled.camera_from_cloud
    np.testing.assert_allclose(about[:2], -upright[:2], atol=1e-9)
    np.testing.assert_allclose(about[2], upright[2], atol=1e-9)


def test_boxes_stand_upright_in_the_base_frame() -> None:
    made = tree(True)
    (box,) = labelled(made).boxes
    assert box.axes[:, 2] == pytest.approx([0.0, 0.0, 1.0], abs=1e-9)


@pytest.mark.parametrize(
    ("base", "height_m", "leans"),
    [("base", 0.0, False), ("base", 0.8, False), ("none", 0.0, True), ("none", 0.8, False)],
)
def test_away_from_the_ground_is_what_tf_says_else_the_parameters_else_the_image(
    base: str, height_m: float, leans: bool
) -> None:
    made = tree(False)
    down = np.eye(4)
    down[:3, :3] = TO_BODY @ rotation_of((np.sin(0.05), 0.0, 0.0, np.cos(0.05))).T
    made.put("camera", "base", down)  # it looks down by a tenth
    ground = GroundConfig(base_frame=base, camera_height_m=height_m, camera_pitch_rad=0.1)
    (box,) = labelled(made, CloudSettings(PointsConfig(), ground)).boxes
    way = [-np.sin(0.1), 0.0, np.cos(0.1)] if leans else [0.0, 0.0, 1.0]
    assert np.abs(box.axes[:, 2]) == pytest.approx(np.abs(way), abs=1e-6)


def test_a_depth_camera_in_the_cameras_own_frame_needs_no_transform() -> None:
    scene = Scene((Box(9.0, -1.0),), step=2, lidar_m=np.zeros(3))
    cloud, _ = scene.cloud()
    optical = cloud.points @ TO_BODY.astype(np.float32)
    same = replace(cloud, points=np.ascontiguousarray(optical), frame_id="camera")
    stage = CloudStage(TransformTree(), CloudStatistics())
    stage.put(message(same))
    (found,) = stage.take(result_at(scene), INFO, SETTINGS)
    np.testing.assert_array_equal(found.labelled.camera_from_cloud, np.eye(4))
    assert found.boxes[0].axes[:, 2] == pytest.approx([0.0, -1.0, 0.0], abs=1e-9)
