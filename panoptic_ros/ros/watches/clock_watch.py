# SPDX-License-Identifier: Apache-2.0
"""Notice that a node's clock jumps back, or that it waits for a simulated one in vain."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import JumpThreshold  # type: ignore[attr-defined]
from rclpy.duration import Duration

AFTER_S = 5.0
"""Without a publisher for so long is told."""


def on_jump_back(node: Any, act: Callable[[], None]) -> Any:
    """Act whenever the clock jumps back or becomes another one.

    Args:
        node: Whose clock.
        act: Called in the executor's thread.

    Returns:
        The watch, which ends when it is freed.
    """
    backwards = JumpThreshold(
        min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True
    )
    return node.get_clock().create_jump_callback(backwards, post_callback=lambda jump: act())


class ClockWatch:
    """Looks at the clock of one node; used by the executor's thread.

    Args:
        node: Whose clock.
        now_s: The steady clock.
    """

    def __init__(self, node: Any, now_s: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._now_s = now_s
        self._since_s = now_s()
        self._is_told = False

    def look(self) -> None:
        """Warn where ``use_sim_time`` is on and ``/clock`` has had no publisher for a while."""
        is_simulated = self._node.get_parameter("use_sim_time").value
        if not is_simulated or self._node.count_publishers("/clock"):
            self._since_s, self._is_told = self._now_s(), False
        elif not self._is_told and self._now_s() - self._since_s >= AFTER_S:
            self._is_told = True
            self._node.get_logger().warning(
                f"use_sim_time is on and nobody has published /clock for {AFTER_S:g} s: time "
                "stands still; start the simulator or player, or set use_sim_time to false"
            )
