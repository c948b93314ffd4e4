# SPDX-License-Identifier: Apache-2.0
"""The CameraInfo of a part, turned or scaled, sends every direction to the pixel that shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.output_size import resized
from panoptic_ros.core.camera.turn import turn_of_camera
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame
from panoptic_ros.messages.calibration.viewed_camera_info import viewed_camera_info
from panoptic_ros.messages.camera_info import camera_model, region_message
from test.drawn.painted_engine import PaintedEngine

pytest.importorskip("rosbags")

from panoptic_ros.recordings.bag_writer import bag_types

WIDTH, HEIGHT = 640, 360
PLUMB_BOB = [-0.3, 0.1, 0.01, -0.02, 0.005]
RATIONAL = [0.2, -0.1, 0.01, -0.02, 0.005, 0.3, 0.01, 0.002, 0.01, 0.002, -0.02, 0.003]


def header(types: Any) -> Any:
    stamp = types.make("builtin_interfaces/msg/Time", sec=1, nanosec=0)
    return types.make("std_msgs/msg/Header", stamp=stamp, frame_id="camera")


def info(model: str = "plumb_bob", d: Any = PLUMB_BOB, binning: int = 0) -> Any:
    types = bag_types()
    k = [500.0, 0.0, 320.0, 0.0, 510.0, 180.0, 0.0, 0.0, 1.0]
    p = [480.0, 0.0, 318.0, -20.0, 0.0, 490.0, 182.0, 3.0, 0.0, 0.0, 1.0, 0.0]
    return types.make(
        "sensor_msgs/msg/CameraInfo",
        header=header(types),
        width=WIDTH,
        height=HEIGHT,
        distortion_model=model,
        d=np.array(d, np.float64),
        k=np.array(k),
        r=np.eye(3).ravel(),
        p=np.array(p),
        binning_x=binning,
        binning_y=binning,
        roi=region_message(types),
    )


def shown(config: CameraConfig, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Result:
    pipeline = Pipeline(PaintedEngine())
    frame = Frame(np.zeros((*size, 3), np.uint8), 1)
    return resized(pipeline.step(frame, pipeline.new_state(config)), config)


def moved(pixels: NDArray[np.float64], config: CameraConfig, result: Result) -> Any:
    """Where the pixels of the camera's image lie in the result, by the parameters' words."""
    x0, y0, width, height = config.region or (0, 0, WIDTH, HEIGHT)
    x, y = (pixels - (x0, y0)).T
    turned = {
        0: (x, y),
        90: (height - 1 - y, x),
        180: (width - 1 - x, height - 1 - y),
        270: (y, width - 1 - x),
    }[config.rotation]
    size = (height, width) if config.rotation % 180 else (width, height)
    scale = np.array(result.camera_size[::-1]) / size
    return (np.column_stack(turned) + 0.5) * scale - 0.5


CASES = {
    "a part": CameraConfig(region=(100, 40, 400, 240)),
    "turned by 90": CameraConfig(rotation=90),
    "turned by 180": CameraConfig(rotation=180),
    "turned by 270": CameraConfig(rotation=270),
    "half the size": CameraConfig(output_size=(320, 180)),
    "the network's size": CameraConfig(is_network_size=True),
    "all": CameraConfig(region=(100, 40, 400, 240), rotation=270, output_size=(60, 100)),
}
MODELS = {
    "plumb_bob": ("plumb_bob", PLUMB_BOB),
    "four values": ("plumb_bob", PLUMB_BOB[:4]),
    "none": ("plumb_bob", []),
    "rational": ("rational_polynomial", RATIONAL),
    "fisheye": ("equidistant", [0.1, -0.02, 0.03, 0.01]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", MODELS)
def test_the_new_camera_sees_every_direction_where_the_image_shows_it(
    case: str, model: str
) -> None:
    config, own = CASES[case], info(*MODELS[model])
    result = shown(config)
    made: Any = viewed_camera_info(own, result, config, bag_types())
    assert (made.height, made.width) == result.camera_size
    draw = np.random.default_rng(0)
    directions = np.column_stack((draw.uniform(-0.4, 0.4, (50, 2)), np.ones(50)))
    pixels = camera_model(own, (HEIGHT, WIDTH)).project(directions)
    turned = directions @ turn_of_camera(config.rotation).T
    found = camera_model(made, result.camera_size).project(turned)
    assert np.allclose(found, moved(pixels, config, result), atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_projection_follows_as_well(case: str) -> None:
    config, own = CASES[case], info()
    result = shown(config)
    made: Any = viewed_camera_info(own, result, config, bag_types())
    places = np.column_stack((np.random.default_rng(1).uniform(-1, 1, (20, 2)), np.full(20, 3.0)))
    one = np.ones((20, 1))
    before = np.hstack((places, one)) @ np.array(own.p).reshape(3, 4).T
    turned = np.hstack((places @ turn_of_camera(config.rotation).T, one))
    after = turned @ np.array(made.p).reshape(3, 4).T
    flat = [values[:, :2] / values[:, 2:] for values in (before, after)]
    assert np.allclose(flat[1], moved(flat[0], config, result), atol=1e-6)
    assert made.p[[1, 4]] == pytest.approx(0)


def test_binning_is_taken_in() -> None:
    config = CameraConfig(rotation=180)
    made: Any = viewed_camera_info(info(binning=2), shown(config, (180, 320)), config, bag_types())
    assert (made.width, made.height, made.binning_x) == (320, 180, 0)
    assert made.k[[0, 2, 4, 5]].tolist() == [250.0, 159.0, 255.0, 89.0]


def test_where_nothing_changes_the_cameras_own_is_handed_on() -> None:
    own = info()
    assert viewed_camera_info(own, shown(CameraConfig()), CameraConfig(), bag_types()) is own
    config = CameraConfig(rotation=180)
    assert viewed_camera_info(None, shown(config), config, bag_types()) is None


def test_one_for_another_size_is_not_taken_for_the_scaled_one() -> None:
    config = CameraConfig(output_size=(WIDTH, HEIGHT))
    result = shown(config, (720, 1280))
    assert viewed_camera_info(info(), result, config, bag_types()) is None


def test_a_tilted_sensor_cannot_be_turned() -> None:
    config, own = CameraConfig(rotation=90), info("rational_polynomial", [*RATIONAL, 0.1, 0.0])
    assert viewed_camera_info(own, shown(config), config, bag_types()) is None


def test_a_tilt_of_0_is_none() -> None:
    config, own = CameraConfig(rotation=90), info("rational_polynomial", [*RATIONAL, 0.0, 0.0])
    assert viewed_camera_info(own, shown(config), config, bag_types()) is not None
