# SPDX-License-Identifier: Apache-2.0
"""Which topics are offered in place of a silent one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed")

from panoptic_ros.ros.camera.camera_input import image_topics

pytestmark = pytest.mark.ros

IMAGE, TEXT = "sensor_msgs/msg/Image", "std_msgs/msg/String"


def test_only_topics_on_which_somebody_publishes_images_are_offered() -> None:
    graph = [
        ("/a/image", [IMAGE]),
        ("/silent/image", [IMAGE]),  # the node's own subscription makes it
        ("/text/image", [IMAGE, TEXT]),
        ("/panoptic/label", [IMAGE]),
        ("/words", [TEXT]),
    ]
    sent = {"/a/image": IMAGE, "/text/image": TEXT, "/panoptic/label": IMAGE, "/words": TEXT}

    def publishers(topic: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(topic_type=kind) for name, kind in sent.items() if name == topic]

    assert image_topics(graph, "/panoptic/", publishers) == ["/a/image"]
