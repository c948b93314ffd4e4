# SPDX-License-Identifier: Apache-2.0
"""The publishers of one camera follow the table of topics, whatever stands in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from rclpy.lifecycle import LifecycleNode

from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.map_image import pixels_of
from panoptic_ros.messages.topics import TOPICS, build_messages
from panoptic_ros.ros.camera.camera_output import CameraOutput
from test.drawn.drawn_result import drawn_result
from test.drawn.graph import TYPES, Bench, header, ros
from test.drawn.worked_example import example_topic

pytestmark = pytest.mark.ros


@pytest.fixture
def node() -> Iterator[LifecycleNode]:
    """A node whose name no other has: the graph keeps those that have just gone for a while."""
    with ros():
        made = LifecycleNode(f"camera_{uuid.uuid4().hex}")
        yield made
        made.destroy_node()


def offered(node: Any) -> set[str]:
    own = f"/{node.get_name()}/"
    found = node.get_publisher_names_and_types_by_node(node.get_name(), "/")
    ours = {name.removeprefix(own) for name, _ in found if name.startswith(own)}
    return ours - {"transition_event"}


def test_there_is_a_publisher_for_every_row_whose_type_is_installed(node: LifecycleNode) -> None:
    output = CameraOutput(node, "~/", TYPES)
    bench = Bench(node)
    here = {name for name, row in TOPICS.items() if TYPES.has(row.type)}
    bench.until(lambda: offered(node) >= here)
    assert offered(node) == here
    bench.close()
    output.close()


def test_a_row_that_is_added_is_published(
    node: LifecycleNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = example_topic()
    monkeypatch.setitem(TOPICS, row.name, row)
    output = CameraOutput(node, "~/", TYPES)
    bench = Bench(node)
    heard = bench.listen(f"/{node.get_name()}/{row.name}")
    node.trigger_configure()
    node.trigger_activate()
    bench.until(output.wanted)
    assert output.wanted() == [row.name]
    context = FrameContext(drawn_result(), TYPES, header(7))
    output.publish(build_messages(output.wanted(), context))
    bench.until(lambda: heard)
    pixels = pixels_of(heard[0], row.encodings, row.name)
    assert np.array_equal(pixels == 255, context.result.confidence() < 128)
    bench.close()
    output.close()
