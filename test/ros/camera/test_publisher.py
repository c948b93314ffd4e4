# SPDX-License-Identifier: Apache-2.0
"""What the publisher of a camera's results keeps, and what it passes on."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.messages.message_types import rclpy_types
from test.drawn.drawn_result import drawn_result

pytest.importorskip("rclpy")
pytest.importorskip("sensor_msgs")
from panoptic_ros.ros.camera.publisher import ResultPublisher

OVERLAY = "overlay/compressed"


@dataclass
class DrawnOutput:
    """Topics that somebody listens to, and what went out on them."""

    wanted_names: Collection[str] = (OVERLAY,)
    remaps: dict[str, Any] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def wanted(self) -> Collection[str]:
        return self.wanted_names

    def wants_ground(self) -> bool:
        return False

    def publish(self, messages: dict[str, Any]) -> None:
        self.sent.append(messages)


FRONT = NodeConfig(cameras=("front",))


def publisher(output: DrawnOutput) -> ResultPublisher:
    silent: Any = SimpleNamespace(camera_info=None)
    nothing: Any = None
    drawn: Any = output
    return ResultPublisher("front", silent, drawn, nothing, rclpy_types(), nothing)


def header() -> Any:
    types = rclpy_types()
    stamp = types.make("builtin_interfaces/msg/Time", sec=5, nanosec=6)
    return types.make("std_msgs/msg/Header", stamp=stamp, frame_id="front")


def test_no_image_outlives_its_publication() -> None:
    output = DrawnOutput()
    sender = publisher(output)
    result = drawn_result()
    image = weakref.ref(result.frame.image)
    sender.send(result, header(), FRONT)
    del result
    gc.collect()
    assert image() is None
    assert sender.publish_void(header().stamp, 0.0, FRONT), "its size is known still"
    assert len(output.sent) == 2


def test_the_quality_changes_the_bytes_of_the_overlay() -> None:
    output = DrawnOutput()
    sender = publisher(output)
    for quality in (10, 95):
        sender.send(drawn_result(), header(), replace(FRONT, jpeg_quality=quality))
    low, high = (len(messages[OVERLAY].data) for messages in output.sent)
    assert low < 0.8 * high
