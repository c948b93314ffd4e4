# SPDX-License-Identifier: Apache-2.0
"""A simulated clock that nobody publishes is said once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.ros.watches.clock_watch import ClockWatch


class DrawnNode:
    """A node, as far as its clock is concerned."""

    def __init__(self, is_simulated: bool, publishers: int) -> None:
        self.is_simulated = is_simulated
        self.publishers = publishers
        self.warnings: list[str] = []

    def get_parameter(self, name: str) -> Any:
        return SimpleNamespace(value=self.is_simulated)

    def count_publishers(self, topic: str) -> int:
        return self.publishers

    def get_logger(self) -> Any:
        return SimpleNamespace(warning=self.warnings.append)


def warned(node: DrawnNode, seconds: float = 30.0) -> int:
    now_s = 0.0
    watch = ClockWatch(node, lambda: now_s)
    for _ in range(round(2 * seconds)):
        now_s += 0.5
        watch.look()
    return len(node.warnings)


def test_it_is_said_once_where_nobody_publishes_it() -> None:
    node = DrawnNode(True, 0)
    assert warned(node) == 1
    assert "nobody has published /clock" in node.warnings[0]


def test_it_is_said_after_exactly_five_seconds() -> None:
    assert warned(DrawnNode(True, 0), 4.5) == 0
    assert warned(DrawnNode(True, 0), 5.0) == 1


def test_nothing_is_said_with_a_clock_or_without_use_sim_time() -> None:
    assert warned(DrawnNode(True, 1)) == 0
    assert warned(DrawnNode(False, 0)) == 0
