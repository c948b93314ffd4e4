# SPDX-License-Identifier: Apache-2.0
"""The node's voice on ``/diagnostics``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.duration import Duration

from panoptic_ros.messages.message_types import MessageTypes

ARRAY = "diagnostic_msgs/msg/DiagnosticArray"


class Health:
    """Publishes what the node says about itself, once in a period.

    Args:
        node: Who speaks.
        types: Message classes.
        rows: Gives the DiagnosticStatus messages.
        period_s: Seconds between two messages.
    """

    def __init__(
        self, node: Any, types: MessageTypes, rows: Callable[[], list[Any]], period_s: float
    ) -> None:
        self._node = node
        self._types = types
        self._rows = rows
        # Steady: a paused /clock must not silence the diagnostics.
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._publisher = node.create_publisher(types.find(ARRAY), "/diagnostics", 10)
        self._timer = self._ticking(period_s)

    def set_period(self, period_s: float) -> None:
        """Speak in another period from here on."""
        self._node.destroy_timer(self._timer)
        self._timer = self._ticking(period_s)

    def publish(self) -> None:
        """Speak at once."""
        self._speak()

    def publish_and_wait(self, longest_s: float) -> None:
        """Speak at once, and wait until all who listen have heard it."""
        self._speak()
        self._publisher.wait_for_all_acked(Duration(nanoseconds=round(longest_s * 1e9)))

    def _speak(self) -> None:
        header = self._types.make("std_msgs/msg/Header")
        header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(self._types.make(ARRAY, header=header, status=self._rows()))

    def _ticking(self, period_s: float) -> Any:
        return self._node.create_timer(period_s, self.publish, clock=self._steady)
