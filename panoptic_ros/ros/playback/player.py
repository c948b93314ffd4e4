# SPDX-License-Identifier: Apache-2.0
"""Publish the images of a source through rclpy, in time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages.camera_info import CAMERA_INFO, beside, recast
from panoptic_ros.messages.convert import COMPRESSED_IMAGE, IMAGE, compressed_image, image_message
from panoptic_ros.messages.message_types import MessageTypes, rclpy_types
from panoptic_ros.messages.protocols import Header
from panoptic_ros.recordings.source import RecordedFrame, Source
from panoptic_ros.ros.transport.profile import with_profile

JPEG_QUALITY = 90

HISTORY = 5
"""Images that are sent again to a reliable subscriber that was busy."""

SETTLE_S = 0.5
"""A subscriber learns of us a moment after we learn of it, and misses what is sent before."""


@dataclass(frozen=True)
class PlayOptions:
    """How to play.

    Attributes:
        topic: Image topic; ``/compressed`` is added for compressed images.
        rate: Speed, 0 for as fast as it goes.
        is_looping: Start over at the end.
        is_compressed: Publish CompressedImage instead of Image.
        is_live: Stamp with the present time and publish no ``/clock``.
        wait_s: How long to wait for a subscriber before the first image.
        frame_id: Optical frame in the headers; empty for that of the images.
    """

    topic: str
    rate: float = 1.0
    is_looping: bool = False
    is_compressed: bool = False
    is_live: bool = False
    wait_s: float = 0.0
    frame_id: str = ""


class Player(Closing):
    """A camera node that plays a source; owned and used by one thread.

    Starts rclpy in a context of its own and ends it on ``close``.

    Attributes:
        topic: Where the images go.
        sent_stamps_ns: Stamps of the images that were published, in order.
        had_listener: Whether somebody subscribed to the images while they were played.

    Args:
        options: How to play.
        name: Of the camera, where several play; part of the ROS node's name.

    Raises:
        ConfigError: rclpy is not installed, or the topic's name is no ROS name.
    """

    def __init__(self, options: PlayOptions, name: str = "") -> None:
        self._options = options
        self.topic = options.topic + ("/compressed" if options.is_compressed else "")
        rclpy = _rclpy()
        # The middleware reads its environment when the context starts.
        os.environ.update(with_profile())
        self._context = rclpy.Context()
        self._context.init()
        self._types: MessageTypes = rclpy_types()
        self.sent_stamps_ns: list[int] = []
        self.had_listener = False
        try:
            node_name = "_".join(filter(None, ("panoptic_play", name)))
            self._node = rclpy.create_node(node_name, context=self._context)
            self._make_publishers()
        except BaseException as error:
            self.close()
            if isinstance(error, rclpy.exceptions.InvalidTopicNameException):
                reason = str(error).partition("\n")[0].rstrip(": ")
                raise ConfigError(f"{self.topic}: is not a ROS topic name ({reason})") from error
            raise

    def _make_publishers(self) -> None:
        from rclpy.qos import QoSProfile

        kind = COMPRESSED_IMAGE if self._options.is_compressed else IMAGE
        # Reliable serves best-effort subscribers, too.
        reliable = QoSProfile(depth=HISTORY)
        self._images = self._node.create_publisher(self._types.find(kind), self.topic, reliable)
        info_topic = beside(self._options.topic)
        self._infos = self._node.create_publisher(
            self._types.find(CAMERA_INFO), info_topic, reliable
        )
        self._clock = None
        if not self._options.is_live:
            self._clock = self._node.create_publisher(
                self._types.find("rosgraph_msgs/msg/Clock"), "/clock", reliable
            )

    def play(self, source: Source) -> int:
        """Publish all images; returns how many."""
        self._wait_for_subscriber()
        sent = 0
        while True:
            before = sent
            for recorded in self._in_time(source.frames()):
                self._publish(recorded)
                sent += 1
            if not self._options.is_looping or sent == before or not self._context.ok():
                return sent

    def _wait_for_subscriber(self) -> None:
        end_s = time.monotonic() + self._options.wait_s
        while not self.has_listener(self.topic) and time.monotonic() < end_s:
            time.sleep(0.05)
        if self.has_listener(self.topic):
            time.sleep(min(SETTLE_S, self._options.wait_s))

    def has_listener(self, topic: str) -> bool:
        """Whether somebody subscribes to a topic, ours or another's."""
        return int(self._node.count_subscribers(topic)) > 0

    def _in_time(self, frames: Iterator[RecordedFrame]) -> Iterator[RecordedFrame]:
        """Hold every image back until it is due, counted from the first one."""
        first = next(frames, None)
        if first is None:
            return
        # The clock starts here: finding the first image may have taken long.
        start_s = time.monotonic()
        for recorded in chain((first,), frames):
            if self._options.rate > 0:
                since_first_s = (recorded.time_ns - first.time_ns) / 1e9
                due_s = start_s + since_first_s / self._options.rate
                time.sleep(max(0.0, due_s - time.monotonic()))
            yield recorded

    def _publish(self, recorded: RecordedFrame) -> None:
        stamp_ns = time.time_ns() if self._options.is_live else recorded.frame.stamp_ns
        seconds, rest_ns = divmod(stamp_ns, 1_000_000_000)
        stamp = self._types.make("builtin_interfaces/msg/Time", sec=seconds, nanosec=rest_ns)
        frame_id = self._options.frame_id or recorded.frame.frame_id
        header = self._types.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)
        if self._clock is not None:
            self._clock.publish(self._types.make("rosgraph_msgs/msg/Clock", clock=stamp))
        if recorded.camera_info is not None:
            self._infos.publish(recast(recorded.camera_info, self._types, header))
        self._images.publish(self._image(recorded, header))
        self.had_listener = self.had_listener or self.has_listener(self.topic)
        self.sent_stamps_ns.append(stamp_ns)

    def _image(self, recorded: RecordedFrame, header: Header) -> Any:
        image = recorded.frame.image
        if self._options.is_compressed:
            rgb = np.ascontiguousarray(image)
            return compressed_image(rgb, JPEG_QUALITY, self._types, header)
        if image.strides[2] < 0:
            # The memory is BGR: sending it as that saves a copy.
            return image_message(image[..., ::-1], "bgr8", self._types, header)
        return image_message(image, "rgb8", self._types, header)

    def close(self) -> None:
        """End the node; safe to call twice."""
        self._context.try_shutdown()


def _rclpy() -> Any:
    try:
        import rclpy
        import rclpy.exceptions
    except ImportError as error:
        raise ConfigError(
            "playing needs rclpy, which is not here; source a ROS 2 installation, or run: "
            "pip install ros-kilted-rclpy ros-kilted-rmw-fastrtps-cpp ros-kilted-sensor-msgs"
        ) from error
    return rclpy
