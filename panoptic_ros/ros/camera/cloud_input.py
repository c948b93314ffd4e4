# SPDX-License-Identifier: Apache-2.0
"""The point clouds or depth images beside one camera, as they come from the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panoptic_ros.messages.clouds.cloud_stage import SensorMessage
from panoptic_ros.messages.clouds.point_cloud import POINT_CLOUD
from panoptic_ros.messages.convert import IMAGE
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera.info_input import InfoInput
from panoptic_ros.ros.camera.qos import Quality
from panoptic_ros.ros.protocols import SubscribingNode

KINDS = (POINT_CLOUD, IMAGE)
"""Message types that are read."""

_FEW = Quality(depth=4)


class CloudInput:
    """Subscribes to a cloud topic when it is known what it carries.

    Used by the executor's thread only.

    Args:
        node: Who subscribes.
        topic: Topic of clouds or depth images, not resolved.
        types: Message classes.
        on_cloud: Called with every message.
    """

    def __init__(
        self,
        node: SubscribingNode,
        topic: str,
        types: MessageTypes,
        on_cloud: Callable[[SensorMessage], None],
    ) -> None:
        self._node = node
        self._types = types
        self._on_cloud = on_cloud
        self.topic: str = node.resolve_topic_name(topic)
        self._kind = ""
        self._subscription: Any = None
        self._info: InfoInput | None = None
        self.other_type = ""

    def look(self) -> None:
        """Look at the graph, and subscribe to what is there."""
        ends = self._node.get_publishers_info_by_topic(self.topic)
        kinds = sorted({str(end.topic_type) for end in ends})
        found = next((kind for kind in KINDS if kind in kinds), "")
        self.other_type = "" if found or not kinds else kinds[0]
        if self._info is not None:
            self._info.look()
        if not found or found == self._kind:
            return
        self.close()
        self._kind = found
        self._subscription = self._subscribed(found)
        if found == IMAGE:
            self._info = InfoInput(self._node, self.topic, "", self._types)
        self._node.get_logger().info(f"points come on {self.topic} as {found}")

    def close(self) -> None:
        """Unsubscribe."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        if self._info is not None:
            self._info.close()
        self._subscription = self._info = None

    def _subscribed(self, kind: str) -> Any:
        return self._node.create_subscription(
            self._types.find(kind),
            self.topic,
            self._take,
            _FEW.profile(),
            qos_overriding_options=_FEW.overrides(),
        )

    def _take(self, message: Any) -> None:
        info = None if self._info is None else self._info.newest
        self._on_cloud(SensorMessage(message, info))
