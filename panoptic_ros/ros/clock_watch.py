# SPDX-License-Identifier: Apache-2.0
"""Says once that a node waits for a simulated clock that nobody publishes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

AFTER_S = 5.0


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
