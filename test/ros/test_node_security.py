# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policy allows what the node does, and nothing that it never does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from panoptic_ros.core.node_config import NODE_NAME
from panoptic_ros.ros.camera.camera_input import BENEATH
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import state
from test.drawn.graph import Bench

pytestmark = pytest.mark.ros

POLICY = Path(__file__).parents[2] / "config/sros2/panoptic.policy.xml"
TOPICS_PAGE = Path(__file__).parents[2] / "docs/topics.md"
ACCESS = {
    "publish": "get_publisher_names_and_types_by_node",
    "subscribe": "get_subscriber_names_and_types_by_node",
    "reply": "get_service_names_and_types_by_node",
    "request": "get_client_names_and_types_by_node",
}
OF_ROS = {"/rosout", "/parameter_events", "/panoptic/transition_event"}


def allowed(access: str) -> set[str]:
    """Names that the policy allows for a kind of access."""
    profile = ElementTree.parse(POLICY).getroot().find("enclaves/enclave/profiles/profile")
    assert profile is not None
    assert (profile.get("ns"), profile.get("node")) == ("/", NODE_NAME)
    blocks = [block for block in profile if block.get(access) == "ALLOW"]
    return {str(entry.text) for block in blocks for entry in block}


@pytest.fixture
def running(make_node: Callable[..., Any]) -> Iterator[tuple[PanopticNode, Bench]]:
    node = make_node()
    node.start()
    assert state(node) == "active"
    bench = Bench(node)
    yield node, bench
    bench.close()


@pytest.mark.parametrize("access", ACCESS)
def test_the_policy_allows_all_that_the_node_does(
    access: str, running: tuple[PanopticNode, Bench]
) -> None:
    node, _ = running
    does = {name for name, _ in getattr(node, ACCESS[access])(NODE_NAME, "/")}
    assert does - allowed(access) == set()


def test_the_policy_allows_the_images_of_every_transport() -> None:
    """The node subscribes to these only once somebody publishes there."""
    assert {f"/image/{transport}" for transport, _ in BENEATH} <= allowed("subscribe")


def test_the_policy_allows_to_publish_only_what_is_documented() -> None:
    words = re.findall(r"`([~/][\w/]*)`", TOPICS_PAGE.read_text(encoding="utf-8"))
    documented = {word.replace("~", f"/{NODE_NAME}") for word in words}
    assert allowed("publish") - documented - OF_ROS == set()


def test_the_policy_has_the_shape_that_sros2_reads() -> None:
    root = ElementTree.parse(POLICY).getroot()
    assert (root.tag, root.get("version")) == ("policy", "0.2.0")
    parents = {"topics": "topic", "services": "service"}
    accesses = {"topics": {"publish", "subscribe"}, "services": {"reply", "request"}}
    for block in root.findall("enclaves/enclave/profiles/profile/*"):
        assert set(block.attrib) <= accesses[block.tag]
        assert set(block.attrib.values()) == {"ALLOW"}
        assert {entry.tag for entry in block} == {parents[block.tag]}
