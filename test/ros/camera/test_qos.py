# SPDX-License-Identifier: Apache-2.0
"""Overrides of quality of service, as rclpy applies them: they count for their topic alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy")

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from panoptic_ros.ros.camera.qos import Quality

MakeNode = Callable[..., Node]
LATCHED = Quality(depth=1, is_reliable=True, is_latched=True)


@pytest.fixture
def make_node() -> Iterator[MakeNode]:
    """Make a node with overrides by topic, kind of end and policy."""
    context = Context()
    rclpy.init(context=context)
    nodes: list[Node] = []

    def make(**overrides: Any) -> Node:
        named = [
            Parameter(f"qos_overrides./{name.replace('__', '.')}", value=value)
            for name, value in overrides.items()
        ]
        nodes.append(Node("ends", context=context, parameter_overrides=named))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def listened(node: Node, topic: str, quality: Quality) -> QoSProfile:
    """Subscribe, and say with which quality."""
    profile = quality.profile()
    options = quality.overrides()
    node.create_subscription(String, topic, print, profile, qos_overriding_options=options)
    return profile


def offered(node: Node, topic: str, quality: Quality) -> QoSProfile:
    profile = quality.profile()
    node.create_publisher(String, topic, profile, qos_overriding_options=quality.overrides())
    return profile


def test_an_override_counts_for_its_own_topic_alone(make_node: MakeNode) -> None:
    node = make_node(a__subscription__depth=7, a__publisher__reliability="best_effort")
    few = Quality(depth=4)
    assert [listened(node, topic, few).depth for topic in ("/a", "/b", "/c")] == [7, 4, 4]
    kinds = [offered(node, topic, LATCHED).reliability for topic in ("/a", "/b", "/c")]
    best_effort, reliable = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
    assert kinds == [best_effort, reliable, reliable]


@pytest.mark.parametrize(("told", "depth"), [(None, 60), (1, 60), (59, 60), (60, 60), (61, 61)])
def test_a_topic_of_images_that_becomes_a_video_keeps_at_least_as_many_as_a_video_needs(
    told: int | None, depth: int, make_node: MakeNode
) -> None:
    node = make_node(**({} if told is None else {"a__subscription__depth": told}))
    assert listened(node, "/a", Quality(depth=1)).depth == (told or 1)
    assert listened(node, "/a", Quality(depth=60, least_depth=60)).depth == depth
    assert listened(node, "/a", Quality(depth=1)).depth == (told or 1)


@pytest.mark.parametrize("is_latched", [False, True])
def test_only_what_is_latched_waits_for_those_who_come_later(is_latched: bool) -> None:
    profile = Quality(depth=2, is_latched=is_latched).profile()
    assert (profile.durability == DurabilityPolicy.TRANSIENT_LOCAL) == is_latched
    assert profile.reliability == ReliabilityPolicy.BEST_EFFORT
