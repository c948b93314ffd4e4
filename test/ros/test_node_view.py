# SPDX-License-Identifier: Apache-2.0
"""What is said about each camera counts in the node, from the next image on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rclpy.parameter import Parameter

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, value
from test.drawn.graph import TYPES, Bench, header, image
from test.drawn.street_scene import CAMERA_SIZE, street

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
INFO = "sensor_msgs/msg/CameraInfo"
HEIGHT, WIDTH = CAMERA_SIZE
MakeNode = Callable[..., PanopticNode]


def set_live(node: PanopticNode, name: str, given: list[Any]) -> Any:
    """Set a parameter as the node's service hands it over, numbers in an ``array``."""
    message = Parameter(name, value=given).to_parameter_msg()
    return node.set_parameters([Parameter.from_parameter_msg(message)])[0]


def label(messages: list[Any]) -> Any:
    newest = messages[-1]
    return np.frombuffer(newest.data, np.uint8).reshape(newest.height, newest.width)


def test_all_of_it_is_live(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    labels, infos = bench.listen("/panoptic/label"), bench.listen("/panoptic/camera_info", INFO)
    camera = Camera(bench)
    node.start()
    upside_down = np.ascontiguousarray(np.rot90(street((10, 10)), 2))

    def shoot() -> None:
        k = [100.0, 0.0, 50.0, 0.0, 100.0, 40.0, 0.0, 0.0, 1.0]
        told = TYPES.make(INFO, header=header(camera.stamp_ns), width=WIDTH, height=HEIGHT)
        told.k, told.distortion_model, told.d = k, "plumb_bob", [0.0] * 5
        bench.publish("/camera_info", told)
        camera.shoot(image(upside_down, 0))

    car_below = (slice(-72, -40), slice(-88, -40))
    bench.until(lambda: labels and infos and (label(labels)[car_below] == 1).all(), shoot)
    assert set_live(node, "rotation", [180]).successful
    car_above = (slice(40, 72), slice(40, 88))
    bench.until(lambda: (label(labels)[car_above] == 1).all(), shoot)
    assert set_live(node, "ego_mask", [f"0,0 {WIDTH},0 {WIDTH},15 0,15"]).successful
    bench.until(lambda: (label(labels)[-16:] == 255).all(), shoot)
    assert (label(labels)[:-16] != 255).all()
    assert set_live(node, "output.size", ["network"]).successful
    bench.until(lambda: label(labels).shape == (32, 64), shoot)
    bench.until(lambda: infos[-1].width == 64, shoot)
    assert infos[-1].k[2] == pytest.approx((WIDTH - 1 - 50 + 0.5) / 4 - 0.5)
    assert set_live(node, "region", ["0,64,256,64"]).successful
    bench.until(lambda: infos[-1].k[5] == pytest.approx((63 - (40 - 64) + 0.5) / 2 - 0.5), shoot)
    bench.close()


def test_a_rate_leaves_images_out_and_counts_them(make_node: MakeNode) -> None:
    node = make_node(max_rate_hz=[5.0])
    bench = Bench(node)
    labels, reports = bench.listen("/panoptic/label"), bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(lambda: len(labels) > 4, camera.shoot)
    stamps = [entry.header.stamp.sec + entry.header.stamp.nanosec / 1e9 for entry in labels]
    assert np.diff(stamps).min() > 0.19
    bench.until(lambda: int(value(reports, "panoptic: camera", "left_out") or 0) >= 9)
    bench.close()


def test_a_rate_is_live(make_node: MakeNode) -> None:
    node = make_node()
    node.start()
    assert set_live(node, "max_rate_hz", [2.0]).successful
    assert node.config.of_cameras.max_rate_hz == (2.0,)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("rotation", [45], "needs one of: 0, 90, 180, 270"),
        ("ego_mask", ["/no/mask.png"], "cannot be read"),
        ("region", ["all"], "needs 'x,y,width,height'"),
        ("output.size", ["network", "camera"], "2 entries for 1 cameras"),
    ],
)
def test_what_cannot_be_used_is_refused_and_changes_nothing(
    make_node: MakeNode, name: str, given: list[Any], words: str
) -> None:
    node = make_node()
    node.start()
    before = node.config
    answer = set_live(node, name, given)
    assert not answer.successful
    assert words in answer.reason
    assert node.config == before


@pytest.mark.parametrize("name", ["region", "ego_mask"])
def test_what_does_not_fit_the_images_that_come_is_refused(
    make_node: MakeNode, tmp_path: Path, name: str
) -> None:
    given, words = f"0,64,{WIDTH},{HEIGHT}", "reaches beyond the image of"
    if name == "ego_mask":
        given, words = str(tmp_path / "mask.png"), "is for images of 8x4"
        cv2.imwrite(given, np.eye(4, 8, dtype=np.uint8) * 255)
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    # Before the first image nobody knows; a mask that does not fit is then told with each.
    assert set_live(node, name, [given]).successful
    assert set_live(node, name, [""]).successful
    bench.until(lambda: len(labels) > 0, camera.shoot)
    answer = set_live(node, name, [given])
    assert not answer.successful
    assert answer.reason.startswith("camera: ")
    assert words in answer.reason
    count = len(labels)
    bench.until(lambda: len(labels) > count + 2, camera.shoot)
    bench.close()


def test_a_bad_mask_fails_configure_with_one_line(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node(ego_mask=["/no/mask.png"])
    node.start()
    assert node.engine is None
    assert "ego_mask /no/mask.png cannot be read" in capfd.readouterr().err
    with pytest.raises(ConfigError):
        node._parameters_in_force.check()
