# SPDX-License-Identifier: Apache-2.0
"""CameraInfo is heard however it is published, and is about the images of the topic."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("sensor_msgs")

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo

from panoptic_ros.messages.camera_info import CAMERA_INFO
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.ros.camera.info_input import InfoInput
from test.drawn.drawn_node import DrawnNode, End

LATCHED = End(CAMERA_INFO, is_latched=True)
VOLATILE = End(CAMERA_INFO)
UNSURE = End(CAMERA_INFO, is_latched=True, is_reliable=False)


def heard_by(*looks: list[End]) -> list[tuple[bool, bool]]:
    """Whether the subscription is latched and reliable after each look at who publishes."""
    node = DrawnNode()
    source = InfoInput(node, "/cam/image_raw", "", rclpy_types())
    found = []
    for ends in looks:
        node.ends["/cam/camera_info"] = ends
        source.look()
        (one,) = node.listening
        found.append(
            (
                one.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL,
                one.qos.reliability == ReliabilityPolicy.RELIABLE,
            )
        )
    return found


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([], (False, False)),
        ([VOLATILE], (False, False)),
        ([LATCHED], (True, True)),
        ([LATCHED, LATCHED], (True, True)),
        ([LATCHED, VOLATILE], (False, False)),
        ([UNSURE], (False, False)),
    ],
    ids=["nobody", "volatile", "latched", "two latched", "one of two", "latched, best effort"],
)
def test_a_latched_subscription_is_for_latched_publishers_alone(
    ends: list[End], expected: tuple[bool, bool]
) -> None:
    assert heard_by(ends) == [expected]


def test_the_subscription_follows_the_publisher_and_stays_while_there_is_none() -> None:
    latched = [once[0] for once in heard_by([VOLATILE], [LATCHED], [], [LATCHED], [VOLATILE])]
    assert latched == [False, True, True, True, False]


def test_it_subscribes_anew_only_where_the_publisher_is_another() -> None:
    node = DrawnNode(ends={"/cam/camera_info": [LATCHED]})
    source = InfoInput(node, "/cam/image_raw", "", rclpy_types())
    source.look()
    (first,) = node.listening
    source.look()
    assert node.listening == [first]
    source.close()
    assert node.listening == []


def test_a_camera_info_that_was_sent_once_before_is_heard() -> None:
    context = Context()
    rclpy.init(context=context)
    driver = rclpy.create_node("driver", context=context)
    node = rclpy.create_node("node", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        once = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        driver.create_publisher(CameraInfo, "/cam/camera_info", once).publish(CameraInfo(width=7))
        source = InfoInput(node, "/cam/image_raw", "", rclpy_types())
        end_s = time.monotonic() + 10
        while source.newest is None and time.monotonic() < end_s:
            source.look()
            executor.spin_once(timeout_sec=0.1)
        assert source.newest is not None
        assert source.newest.width == 7
    finally:
        executor.shutdown()
        node.destroy_node()
        driver.destroy_node()
        rclpy.shutdown(context=context)


@pytest.mark.parametrize(
    ("topic", "focal"), [("/cam/image_raw", 500.0), ("/cam/image_rect", 450.0)]
)
def test_it_is_about_the_images_of_the_topic(topic: str, focal: float) -> None:
    node = DrawnNode()
    source = InfoInput(node, topic, "", rclpy_types())
    k = [500.0, 0.0, 320.0, 0.0, 500.0, 180.0, 0.0, 0.0, 1.0]
    p = [450.0, 0.0, 310.0, 0.0, 0.0, 450.0, 175.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    node.hear("/cam/camera_info", CameraInfo(k=k, p=p))
    assert source.newest is not None
    assert source.newest.k[0] == focal
