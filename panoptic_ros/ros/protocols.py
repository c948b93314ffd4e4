# SPDX-License-Identifier: Apache-2.0
"""What is asked of rclpy, whose classes have no types before Kilted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from panoptic_ros.messages.protocols import Stamp


class Logger(Protocol):
    """Takes lines for the log."""

    def info(self, message: str, /) -> object:
        """Log a transition."""

    def warning(self, message: str, /, *, throttle_duration_sec: float = 0.0) -> object:
        """Log something that is lost, at most once in so many seconds."""

    def error(self, message: str, /) -> object:
        """Log what stops something."""


class Publisher(Protocol):
    """Sends messages of one topic."""

    def publish(self, message: Any, /) -> object:
        """Send a message."""

    def get_subscription_count(self) -> int:
        """Count who listens."""


class Moment(Protocol):
    """A time of a clock."""

    @property
    def nanoseconds(self) -> int:
        """Nanoseconds since the clock's epoch."""

    def to_msg(self) -> Stamp:
        """As a ``builtin_interfaces/msg/Time``."""


class Clock(Protocol):
    """A node's clock."""

    def now(self) -> Moment:
        """Say what time it is."""


class AnyNode(Protocol):
    """A node, as far as clock and log are wanted."""

    def get_clock(self) -> Clock:
        """Give its clock."""

    def get_logger(self) -> Logger:
        """Give its logger."""


class SubscribingNode(AnyNode, Protocol):
    """A node that subscribes."""

    def create_subscription(
        self,
        kind: Any,
        topic: str,
        callback: Any,
        qos: Any,
        /,
        *,
        qos_overriding_options: Any = None,
        raw: bool = False,
    ) -> Any:
        """Listen to a topic."""

    def destroy_subscription(self, subscription: Any, /) -> object:
        """Stop listening."""

    def resolve_topic_name(self, topic: str, /, *, only_expand: bool = False) -> str:
        """Make a topic's full name, remapped unless ``only_expand``."""

    def get_publishers_info_by_topic(self, topic: str, /) -> Sequence[Any]:
        """List who offers a topic."""


class PublishingNode(AnyNode, Protocol):
    """A lifecycle node that publishes."""

    def create_lifecycle_publisher(
        self, kind: Any, topic: str, qos: Any, /, *, qos_overriding_options: Any = None
    ) -> Publisher:
        """Offer a topic that is silent while the node is inactive."""

    def destroy_lifecycle_publisher(self, publisher: Any, /) -> object:
        """Withdraw a topic."""


class CameraNode(SubscribingNode, PublishingNode, Protocol):
    """A lifecycle node that takes images and publishes results."""
