# SPDX-License-Identifier: Apache-2.0
"""A second node in the test's process: cameras to publish with, topics to listen to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions

from panoptic_ros.messages.convert import IMAGE, image_message
from panoptic_ros.messages.message_types import rclpy_types

TYPES = rclpy_types()
PATIENCE_S = 60.0


@contextmanager
def ros() -> Iterator[None]:
    """Keep ROS up in this process, whose signals stay pytest's.

    rclpy's own handlers take SIGTERM for themselves and shut the context down: a run that
    somebody ends would go on, and blame the test that needs the context next.
    """
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        yield
    finally:
        rclpy.shutdown()


class Bench:
    """Publishes images, keeps what comes, spins all nodes in the test's thread.

    It has a context of its own: within one DDS participant a topic has one type only.
    """

    def __init__(self, *others: Any) -> None:
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context)
        self.node = Node("bench", context=self._context)
        self.heard: dict[str, list[Any]] = {}
        self.publishers: dict[str, Any] = {}
        self._executors = [SingleThreadedExecutor(context=self._context)]
        self._executors[0].add_node(self.node)
        if others:
            self._executors.append(SingleThreadedExecutor())
        for node in others:
            self._executors[1].add_node(node)

    def listen(self, topic: str, kind: str = IMAGE, qos: QoSProfile | int = 10) -> list[Any]:
        found: list[Any] = self.heard.setdefault(topic, [])
        self.node.create_subscription(TYPES.find(kind), topic, found.append, qos)
        return found

    def publish(self, topic: str, message: Any) -> None:
        if topic not in self.publishers:
            self.publishers[topic] = self.node.create_publisher(
                type(message), topic, qos_profile_sensor_data
            )
        self.publishers[topic].publish(message)

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for executor in self._executors:
                executor.spin_once(timeout_sec=0.01)

    def until(self, condition: Callable[[], Any], act: Callable[[], Any] = lambda: None) -> None:
        """Spin, and act between the turns, until the condition holds."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, f"in vain: {list(self.heard)}"
            act()
            self.spin(0.05)

    def close(self) -> None:
        for executor in self._executors:
            executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


def header(stamp_ns: int, frame_id: str = "front_optical") -> Any:
    stamp = TYPES.make(
        "builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    return TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)


def image(pixels: NDArray[np.uint8], stamp_ns: int, encoding: str = "rgb8") -> Any:
    return image_message(pixels, encoding, TYPES, header(stamp_ns))
