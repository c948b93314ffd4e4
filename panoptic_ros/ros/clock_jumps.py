# SPDX-License-Identifier: Apache-2.0
"""Notice that a node's clock jumps back, as when a bag starts again under ``use_sim_time``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.clock import JumpThreshold  # type: ignore[attr-defined]
from rclpy.duration import Duration


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
