# SPDX-License-Identifier: Apache-2.0
"""Clouds are waited for until it is known what the topic carries."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.messages.clouds.cloud_stage import SensorMessage
from panoptic_ros.messages.clouds.point_cloud import POINT_CLOUD
from panoptic_ros.messages.convert import IMAGE
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera.cloud_input import CloudInput
from test.drawn.drawn_node import DrawnNode, End

TEXT = "std_msgs/msg/String"
TYPES = MessageTypes(lambda name: name, bytes)


class Scene:
    """A camera's clouds, and what comes out of them."""

    def __init__(self) -> None:
        self.node = DrawnNode()
        self.heard: list[SensorMessage] = []
        self.input = CloudInput(self.node, "depth/points", TYPES, self.heard.append)

    def look(self, *kinds: str) -> list[str]:
        """Types that are listened to after a look."""
        self.node.ends["/depth/points"] = [End(kind) for kind in kinds]
        self.input.look()
        return [one.kind for one in self.node.listening]


@pytest.mark.parametrize(
    ("kinds", "listening", "other"),
    [
        ((), [], ""),
        ((POINT_CLOUD,), [POINT_CLOUD], ""),
        ((IMAGE,), [IMAGE, "sensor_msgs/msg/CameraInfo"], ""),
        ((IMAGE, POINT_CLOUD), [POINT_CLOUD], ""),
        ((TEXT, POINT_CLOUD), [POINT_CLOUD], ""),
        ((TEXT,), [], TEXT),
    ],
)
def test_it_listens_to_what_it_can_read_and_names_what_it_cannot(
    kinds: tuple[str, ...], listening: list[str], other: str
) -> None:
    scene = Scene()
    assert scene.look(*kinds) == listening
    assert scene.input.other_type == other
    said = [f"points come on /depth/points as {listening[0]}"] if listening else []
    assert scene.node.informed == said


def test_it_subscribes_once_and_anew_where_the_type_changes() -> None:
    scene = Scene()
    scene.look(POINT_CLOUD)
    (first,) = scene.node.listening
    scene.look(POINT_CLOUD)
    assert scene.node.listening == [first]
    scene.look()
    assert scene.node.listening == [first], "its publisher may come back"
    assert scene.look(IMAGE) == [IMAGE, "sensor_msgs/msg/CameraInfo"]
    assert len(scene.node.informed) == 2


def test_a_depth_image_comes_with_the_newest_camera_info_beside_it() -> None:
    scene = Scene()
    scene.look(IMAGE)
    assert scene.node.topics == ["/depth/points", "/depth/camera_info"]
    first: Any = "first image"
    second: Any = "second image"
    scene.node.hear("/depth/points", first)
    for info in ("old", "new"):
        scene.node.hear("/depth/camera_info", info)
    scene.node.hear("/depth/points", second)
    assert [(one.message, one.info) for one in scene.heard] == [(first, None), (second, "new")]


def test_four_clouds_may_wait_and_their_quality_of_service_is_a_parameter() -> None:
    scene = Scene()
    scene.look(IMAGE)
    assert scene.node.depth("/depth/points") == 4
    assert [one.may_override for one in scene.node.listening] == [True, False]


def test_nothing_is_listened_to_after_the_end() -> None:
    scene = Scene()
    scene.look(IMAGE)
    scene.input.close()
    assert scene.node.topics == []
