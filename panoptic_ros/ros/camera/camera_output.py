# SPDX-License-Identifier: Apache-2.0
"""What the node publishes about one camera; a topic nobody listens to costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from panoptic_ros.core.classes.label_table import LabelTable
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.messages.context import LabelContext
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import Header
from panoptic_ros.messages.topic import (
    CloudTopic,
    GroundTopic,
    LabelTopic,
    RemappedLabelTopic,
    Topic,
)
from panoptic_ros.messages.topics import TOPICS, frame_rows, rows_of
from panoptic_ros.ros.camera.qos import Quality
from panoptic_ros.ros.protocols import Publisher, PublishingNode

_RELIABLE = Quality(depth=2, is_reliable=True)
_LATCHED = Quality(depth=1, is_reliable=True, is_latched=True)


class CameraOutput:
    """Lifecycle publishers of one camera, one per row of the table of topics.

    Made and closed by the executor's thread, used by the worker's thread in between.

    Args:
        node: The lifecycle node that owns the publishers.
        prefix: ``~/`` or ``~/<camera>/``.
        types: Message classes; topics whose type is missing are left out.

    Attributes:
        remaps: Into the consumers' classes, by topic; replaced as a whole.
    """

    def __init__(self, node: PublishingNode, prefix: str, types: MessageTypes) -> None:
        self._node = node
        self._types = types
        self._labels: LabelSet | None = None
        self.remaps: Mapping[str, LabelTable] = {}
        self._publishers: dict[str, Publisher] = {
            name: self._offered(prefix, row) for name, row in TOPICS.items() if types.has(row.type)
        }

    def wanted(self) -> list[str]:
        """Topics with a message per frame that somebody listens to."""
        return [name for name in frame_rows() if self._has_listener(name)]

    def wanted_clouds(self) -> list[str]:
        """Topics with a message per point cloud that somebody listens to."""
        return [name for name in rows_of(CloudTopic) if self._has_listener(name)]

    def wants_ground(self) -> bool:
        """Whether somebody listens to a topic in metres."""
        return any(self._has_listener(name) for name in rows_of(GroundTopic))

    def publish(self, messages: Mapping[str, Any]) -> None:
        """Send messages by topic name."""
        for name, message in messages.items():
            self._publishers[name].publish(message)

    def publish_labels(self, labels: LabelSet) -> None:
        """Say once what the values of the label images mean; late listeners get it too."""
        self._labels = labels
        self._announce(rows_of(LabelTopic))

    def publish_remap(self) -> None:
        """Say what the values of the remapped label image mean, after the remaps have changed."""
        self._announce(rows_of(RemappedLabelTopic))

    def close(self) -> None:
        """Withdraw the topics."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def _announce(self, rows: Mapping[str, LabelTopic]) -> None:
        if self._labels is None:
            return
        context = LabelContext(self._labels, self._types, self._present(), self.remaps)
        made = {name: row.build(context) for name, row in rows.items() if name in self._publishers}
        self.publish({name: message for name, message in made.items() if message is not None})

    def _present(self) -> Header:
        header: Header = self._types.make("std_msgs/msg/Header")
        header.stamp = self._node.get_clock().now().to_msg()
        return header

    def _has_listener(self, name: str) -> bool:
        publisher = self._publishers.get(name)
        return publisher is not None and publisher.get_subscription_count() > 0

    def _offered(self, prefix: str, row: Topic) -> Publisher:
        quality = _LATCHED if row.is_latched else _RELIABLE
        return self._node.create_lifecycle_publisher(
            self._types.find(row.type),
            prefix + row.name,
            quality.profile(),
            qos_overriding_options=quality.overrides(),
        )
