# SPDX-License-Identifier: Apache-2.0
"""What of rclpy is used here; its classes have no types of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Logger(Protocol):
    """Takes lines for the log."""

    def info(self, message: str) -> Any:
        """Log what goes its way."""

    def warning(self, message: str, *, throttle_duration_sec: float = 0.0) -> Any:
        """Log what is lost or not as it should be, at most once in so many seconds."""

    def error(self, message: str) -> Any:
        """Log what stops something."""


class Publisher(Protocol):
    """Sends messages of one topic."""

    def publish(self, message: Any) -> None:
        """Send a message."""

    def get_subscription_count(self) -> int:
        """Count who listens."""


class Moment(Protocol):
    """An ``rclpy.time.Time``."""

    @property
    def nanoseconds(self) -> int:
        """Nanoseconds of the clock."""

    def to_msg(self) -> Any:
        """As a ``builtin_interfaces/msg/Time``."""


class Clock(Protocol):
    """A node's clock."""

    def now(self) -> Moment:
        """Say what time it is."""


class Node(Protocol):
    """A lifecycle node, as far as what belongs to it asks it for something."""

    def get_clock(self) -> Clock:
        """Give its clock."""

    def get_logger(self) -> Logger:
        """Give its logger."""

    def get_name(self) -> str:
        """Say its name without the namespace."""

    def create_subscription(
        self, kind: Any, topic: str, callback: Callable[..., None], qos: Any, **options: Any
    ) -> Any:
        """Listen to a topic."""

    def destroy_subscription(self, subscription: Any) -> Any:
        """Stop listening."""

    def create_publisher(self, kind: Any, topic: str, qos: Any, **options: Any) -> Publisher:
        """Offer a topic."""

    def create_lifecycle_publisher(
        self, kind: Any, topic: str, qos: Any, **options: Any
    ) -> Publisher:
        """Offer a topic that is silent while the node is inactive."""

    def destroy_lifecycle_publisher(self, publisher: Any) -> Any:
        """Withdraw a topic."""

    def create_timer(self, period_s: float, callback: Callable[[], None], **options: Any) -> Any:
        """Call something again and again."""

    def destroy_timer(self, timer: Any) -> Any:
        """Stop calling it."""

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        """Make a topic's full name, remapped unless ``only_expand``."""

    def get_publishers_info_by_topic(self, topic: str) -> Sequence[Any]:
        """List who offers a topic."""
