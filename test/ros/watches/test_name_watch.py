# SPDX-License-Identifier: Apache-2.0
"""A second node of the node's own name is said once it has stayed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")

import rclpy

from panoptic_ros.ros.watches.name_watch import LASTS_S, NameWatch
from test.drawn.graph import Bench, ros

Names = list[tuple[str, str]]
OWN = ("eyes", "/robot")


class DrawnNode:
    """A node, as far as names are concerned; its time passes with each look."""

    def __init__(self) -> None:
        self.names: Names = [OWN]
        self.warnings: list[str] = []
        self.now_s = 0.0
        self.watch = NameWatch(self, lambda: self.now_s)

    def get_fully_qualified_name(self) -> str:
        return "/robot/eyes"

    def get_node_names_and_namespaces(self) -> Names:
        return self.names

    def get_logger(self) -> Any:
        return SimpleNamespace(warning=self.warnings.append)

    def passes(self, seconds: float, *others: tuple[str, str]) -> int:
        """Let time pass beside other nodes, and count all warnings so far."""
        self.names = [OWN, *others]
        for _ in range(round(2 * seconds)):
            self.now_s += 0.5
            self.watch.look()
        return len(self.warnings)


def test_it_is_said_once_with_the_cure_and_again_when_it_has_come_back() -> None:
    node = DrawnNode()
    assert node.passes(2 * LASTS_S, OWN) == 1
    assert "another node is called /robot/eyes, too" in node.warnings[0]
    assert "-r __node:=NAME, -r __ns:=/NAMESPACE" in node.warnings[0]
    assert node.watch.problem == node.warnings[0]
    assert node.passes(0.5) == 1
    assert node.watch.problem == ""
    assert node.passes(2 * LASTS_S, OWN) == 2


def test_one_that_was_killed_and_lingers_is_not_meant() -> None:
    node = DrawnNode()
    assert node.passes(LASTS_S - 0.5, OWN) == 0
    assert node.passes(0.5) == 0
    assert node.passes(LASTS_S - 0.5, OWN) == 0


def test_other_names_and_namespaces_are_not_meant() -> None:
    others = [("eyes", "/"), ("eyes", "/robot2"), ("ears", "/robot"), ("robot", "/eyes")]
    assert DrawnNode().passes(2 * LASTS_S, *others) == 0


@pytest.fixture
def watched() -> Iterator[Any]:
    with ros():
        node = rclpy.create_node("eyes", namespace="/robot")
        yield node
        node.destroy_node()


@pytest.mark.ros
def test_the_graph_tells_two_of_one_name_apart(watched: Any) -> None:
    now_s = 0.0
    watch = NameWatch(watched, lambda: now_s)
    bench = Bench()
    second = rclpy.create_node("eyes", namespace="/robot", context=bench.node.context)

    def wait() -> None:
        nonlocal now_s
        now_s += LASTS_S
        watch.look()

    wait()
    bench.until(lambda: watch.problem, wait)
    second.destroy_node()
    bench.until(lambda: not watch.problem, wait)
    bench.close()
