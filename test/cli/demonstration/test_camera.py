# SPDX-License-Identifier: Apache-2.0
"""A camera with a known place: the node's parameters, and the ground seen from above."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.demonstration.camera import DemoCamera, GroundImages, motorway_camera
from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import camera_pose_of
from panoptic_ros.core.node_config import DECLARED
from panoptic_ros.messages.calibration.camera_yaml import read_camera_yaml
from panoptic_ros.report.bird_view import WIDTH_PX, BirdView, GroundMaps

LANE_M = 3.7
LINES = {
    # Pixels of the demo's video at second 22, on a straight road: a yellow and a white line.
    "left": [(283.0, 672.0), (372.0, 608.0), (470.0, 537.0), (545.0, 484.0)],
    "right": [(1008.0, 636.0), (880.0, 562.0), (769.0, 492.0), (713.0, 458.0)],
}


def motorway() -> tuple[CameraModel, DemoCamera]:
    place = motorway_camera()
    info = read_camera_yaml(place.calibration)
    size = info.width, info.height
    return CameraModel.of(size, info.distortion_model, info.k.tolist(), info.d.tolist()), place


def test_the_place_is_told_to_the_node_in_its_own_words() -> None:
    told = motorway_camera().node_parameters()
    assert told["ground.camera_height_m"] > 1.0
    assert set(told) <= set(DECLARED)
    assert DemoCamera(Path("x.yaml"), GroundConfig()).node_parameters() == {}


def test_the_lane_of_the_demos_motorway_is_as_wide_as_it_should_be_and_straight() -> None:
    camera, place = motorway()
    pose = camera_pose_of(camera, place.ground)
    left, right = (pose.on_ground(camera.rays(np.array(line))) for line in LINES.values())
    assert left[:, 1].mean() - right[:, 1].mean() == pytest.approx(LANE_M, abs=0.2)
    for line in (left, right):
        slope = np.polyfit(line[:, 0], line[:, 1], 1)[0]
        assert abs(slope) < 0.02


@pytest.fixture
def view() -> tuple[BirdView, CameraModel, GroundConfig]:
    camera, place = motorway()
    config = replace(place.ground, length_m=40.0, width_m=20.0)
    return BirdView(camera, camera_pose_of(camera, config), config), camera, config


def test_what_lies_on_the_ground_is_drawn_where_it_lies(
    view: tuple[BirdView, CameraModel, GroundConfig],
) -> None:
    bird, camera, config = view
    image = np.zeros((720, 1280, 3), np.uint8)
    spot = np.array([[13.0, 2.5, 0.0]])
    x, y = camera.project(camera_pose_of(camera, config).to_optical(spot))[0].round().astype(int)
    image[y - 2 : y + 3, x - 2 : x + 3] = (0, 0, 255)
    nothing = GroundMaps(np.full((100, 200), -1, np.int8), np.zeros((0, 2)))
    drawn = bird.image(image, nothing)
    assert drawn.shape == (WIDTH_PX // 2, WIDTH_PX, 3)
    blue = (drawn[..., 2] > 150) & (drawn[..., 0] < 60)
    rows, columns = np.nonzero(blue)
    assert columns.mean() / 16.0 == pytest.approx(13.0, abs=0.3)
    assert 10.0 - rows.mean() / 16.0 == pytest.approx(2.5, abs=0.1)


def test_cells_and_outline_are_drawn_where_they_lie(
    view: tuple[BirdView, CameraModel, GroundConfig],
) -> None:
    cells = np.full((100, 200), -1, np.int8)
    cells[70:80, 100:120] = 100
    cells[20:30, 100:120] = 0
    outline = np.array([[32.0, -7.0], [38.0, -7.0], [38.0, -3.0], [32.0, -3.0]])
    drawn = view[0].grid(GroundMaps(cells, outline)).astype(int)
    left, right, unknown = drawn[70, 350], drawn[230, 350], drawn[140, 350]
    assert left[0] > left[1]
    assert right[1] > right[0]
    assert np.ptp(unknown) < 20
    rim = drawn[round((10.0 + 5.0) * 16), 32 * 16]
    assert rim[1] > 200


def test_frames_of_which_nothing_was_published_have_no_images() -> None:
    recorded = GroundMaps(np.zeros((100, 200), np.int8), np.zeros((0, 2)))
    images = GroundImages(motorway_camera(), {7: recorded})
    frame = SimpleNamespace(image=np.zeros((720, 1280, 3), np.uint8), stamp_ns=7)
    result: Any = SimpleNamespace(frame=frame)
    drawn = images.draw(result)
    assert drawn is not None
    assert drawn[0].shape == drawn[1].shape
    frame.stamp_ns = 8
    assert images.draw(result) is None
