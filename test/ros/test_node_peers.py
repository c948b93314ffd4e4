# SPDX-License-Identifier: Apache-2.0
"""Who talks to the node may vanish without a word, speak under other names, or be very large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.qos import ReliabilityPolicy, qos_profile_sensor_data

from test.drawn.drawn_camera import Camera
from test.drawn.graph import Bench, image
from test.drawn.processes import Start

pytestmark = pytest.mark.ros

BEST_EFFORT = ReliabilityPolicy.BEST_EFFORT
CAMERA_DRIVER = """
from test.drawn.drawn_camera import Camera
from test.drawn.graph import Bench
camera = Camera(Bench())
camera.stamp_ns = {start_s} * 10**9
while True:
    camera.shoot()
    camera.bench.spin(0.02)
"""
CONSUMER = """
from test.drawn.graph import Bench
bench = Bench()
heard = bench.listen("/panoptic/label")
bench.until(lambda: heard)
print("heard", flush=True)
while True:
    bench.spin(1.0)
"""


def node_words(model: Path, *words: str) -> list[str]:
    parameters = ["-p", f"engine:={model}", *words]
    return ["-m", "panoptic_ros.ros.node", "--ros-args", *parameters]


def test_a_killed_camera_and_a_killed_consumer_cost_the_others_nothing(
    start: Start, bench: Bench, tiny_model: Path
) -> None:
    labels = bench.listen("/panoptic/label")
    node = start(*node_words(tiny_model))
    camera = start("-c", CAMERA_DRIVER.format(start_s=100))
    consumer = start("-c", CONSUMER)
    assert consumer.stdout is not None
    assert consumer.stdout.readline() == "heard\n"
    consumer.kill()
    bench.until(lambda: labels)
    had = len(labels)
    bench.until(lambda: len(labels) > had + 10)
    camera.kill()
    camera.wait()
    start("-c", CAMERA_DRIVER.format(start_s=9000))
    bench.until(lambda: labels[-1].header.stamp.sec >= 9000)
    assert node.poll() is None


def test_namespace_remapping_and_qos_come_from_outside(
    start: Start, bench: Bench, tiny_model: Path
) -> None:
    labels = bench.listen("/robot/eyes/label", qos=qos_profile_sensor_data)
    wish = "qos_overrides./robot/eyes/label.publisher.reliability:=best_effort"
    names = ["-r", "__ns:=/robot", "-r", "__node:=eyes", "-r", "image:=/front/image_raw"]
    start(*node_words(tiny_model, *names, "-p", wish))
    bench.until(lambda: labels, Camera(bench, "/front/image_raw").shoot)
    offers = bench.node.get_publishers_info_by_topic("/robot/eyes/label")
    assert [offer.qos_profile.reliability for offer in offers] == [BEST_EFFORT]


def test_a_4k_image_gets_a_4k_answer(make_node: Callable[..., Any]) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    pixels = np.zeros((2160, 3840, 3), np.uint8)
    bench.until(lambda: labels, lambda: camera.shoot(image(pixels, 0)))
    assert (labels[-1].height, labels[-1].width) == (2160, 3840)
    assert len(labels[-1].data) == 2160 * 3840
    assert node.failure is None
    bench.close()
