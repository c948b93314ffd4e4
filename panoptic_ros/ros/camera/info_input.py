# SPDX-License-Identifier: Apache-2.0
"""The CameraInfo beside the images or depth images of one camera."""

from __future__ import annotations

from typing import Any

from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from panoptic_ros.messages.camera_info import CAMERA_INFO, beside, for_topic
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import CameraInfo
from panoptic_ros.ros.camera.qos import Quality
from panoptic_ros.ros.protocols import SubscribingNode

_NEWEST = Quality(depth=1)
_LATCHED = Quality(depth=1, is_reliable=True, is_latched=True)


class InfoInput:
    """Subscribes to a CameraInfo, also where its publisher sends it only once.

    Only a latched (transient local) subscription gets what a latched publisher sent before, and
    such a one hears no other publishers. So the graph says which it is. Used by the executor's
    thread only.

    Args:
        node: Who subscribes.
        image_topic: Topic of the images, resolved.
        info_topic: CameraInfo topic, not resolved; empty for the one beside the images.
        types: Message classes.

    Attributes:
        newest: The newest one, about the images of the topic; None before the first.
    """

    def __init__(
        self, node: SubscribingNode, image_topic: str, info_topic: str, types: MessageTypes
    ) -> None:
        self.newest: CameraInfo | None = None
        self._node = node
        self._image_topic = image_topic
        self._topic: str = (
            node.resolve_topic_name(info_topic) if info_topic else beside(image_topic)
        )
        self._kind = types.find(CAMERA_INFO)
        self._is_latched = False
        self._subscription = self._subscribed()

    def look(self) -> None:
        """Look at the graph, and subscribe anew where the CameraInfo comes in another way."""
        ends = self._node.get_publishers_info_by_topic(self._topic)
        is_latched = all(map(_is_latched, ends)) if ends else self._is_latched
        if is_latched != self._is_latched:
            self._is_latched = is_latched
            self._node.destroy_subscription(self._subscription)
            self._subscription = self._subscribed()

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)

    def _subscribed(self) -> Any:
        quality = _LATCHED if self._is_latched else _NEWEST
        return self._node.create_subscription(
            self._kind, self._topic, self._note, quality.profile()
        )

    def _note(self, message: Any) -> None:
        self.newest = for_topic(message, self._image_topic)


def _is_latched(end: Any) -> bool:
    """Whether who publishes sends the last message to those who come later."""
    profile = end.qos_profile
    return bool(
        profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        and profile.reliability == ReliabilityPolicy.RELIABLE
    )
