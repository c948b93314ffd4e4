# SPDX-License-Identifier: Apache-2.0
"""What the node publishes about one camera; a topic nobody listens to costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.remap import Remap
from panoptic_ros.messages.convert import IMAGE, MESSAGE_TYPES, RESULT_TOPICS
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.vision import LABEL_INFO, label_info, remap_info
from panoptic_ros.ros.camera_input import CAMERA_INFO
from panoptic_ros.ros.ground_output import GROUND_TYPES

_RELIABLE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=2, reliability=ReliabilityPolicy.RELIABLE
)
_LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


class CameraOutput:
    """Lifecycle publishers of one camera.

    Made and closed by the executor's thread, used by the worker's thread in between.

    Args:
        node: The lifecycle node that owns the publishers.
        prefix: ``~/`` or ``~/<camera>/``.
        types: Message classes; topics whose type is missing are left out.

    Attributes:
        remaps: Into the consumers' classes, by topic; replaced as a whole.
    """

    def __init__(self, node: Any, prefix: str, types: MessageTypes) -> None:
        self._node = node
        self._types = types
        self._publishers: dict[str, Any] = {}
        self.remaps: Mapping[str, Remap] = {}
        for name in RESULT_TOPICS:
            self._add(prefix, name, MESSAGE_TYPES.get(name, IMAGE), _RELIABLE)
        for name, kind in GROUND_TYPES.items():
            self._add(prefix, name, kind, _RELIABLE)
        self._add(prefix, "camera_info", CAMERA_INFO, _RELIABLE)
        self._add(prefix, "label_info", LABEL_INFO, _LATCHED)
        self._add(prefix, "remapped/label_info", LABEL_INFO, _LATCHED)

    def wanted(self) -> list[str]:
        """Topics of ``RESULT_TOPICS`` that somebody listens to."""
        return [name for name in RESULT_TOPICS if self._has_listener(name)]

    def wanted_in_metres(self) -> list[str]:
        """Topics of ``GROUND_TYPES`` that somebody listens to."""
        return [name for name in GROUND_TYPES if self._has_listener(name)]

    def publish(self, messages: Mapping[str, Any]) -> None:
        """Send what ``from_result`` and ``GroundOutput`` made."""
        for name, message in messages.items():
            self._publishers[name].publish(message)

    def publish_camera_info(self, camera_info: Any, header: Any, size: tuple[int, int]) -> bool:
        """Send the camera's own CameraInfo under the image's header.

        Args:
            camera_info: What the camera says, None where it is silent.
            header: Of the image.
            size: (height, width) of the image.

        Returns:
            False where the camera speaks of another size; nothing is sent then.
        """
        if camera_info is None or not self._has_listener("camera_info"):
            return True
        if (camera_info.height, camera_info.width) != size:
            return False
        camera_info.header = header
        self._publishers["camera_info"].publish(camera_info)
        return True

    def publish_labels(self, labels: LabelSet) -> None:
        """Say once what the values of the label image mean; late listeners get it too."""
        if "label_info" in self._publishers:
            message = label_info(labels, self._types, self._present())
            self._publishers["label_info"].publish(message)
        self.publish_remap()

    def publish_remap(self) -> None:
        """Say what the values of the remapped label image mean, likewise."""
        remap = self.remaps.get("remapped/label")
        if remap is not None and "remapped/label_info" in self._publishers:
            message = remap_info(remap, self._types, self._present())
            self._publishers["remapped/label_info"].publish(message)

    def close(self) -> None:
        """Withdraw the topics."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def _present(self) -> Any:
        header = self._types.make("std_msgs/msg/Header")
        header.stamp = self._node.get_clock().now().to_msg()
        return header

    def _has_listener(self, name: str) -> bool:
        publisher = self._publishers.get(name)
        return publisher is not None and publisher.get_subscription_count() > 0

    def _add(self, prefix: str, name: str, kind: str, qos: QoSProfile) -> None:
        if self._types.has(kind):
            self._publishers[name] = self._node.create_lifecycle_publisher(
                self._types.find(kind),
                prefix + name,
                qos,
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            )
