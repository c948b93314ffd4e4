# SPDX-License-Identifier: Apache-2.0
"""All cameras of a node: what is offered and heard, and what goes on over an activation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("sensor_msgs")

from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.ros.camera.cameras import Cameras
from panoptic_ros.ros.transforms import Transforms
from test.drawn.drawn_node import DrawnNode

TYPES = rclpy_types()
TWO = NodeConfig(cameras=("left", "right"))


class Scene:
    """Two cameras of a node that is on no graph."""

    def __init__(self) -> None:
        self.node = DrawnNode()
        self.put: list[str] = []
        self.cameras = Cameras(self.node, TYPES, lambda: TWO)
        self.pipeline = Pipeline(DrawnEngine())

    def subscribe(self) -> None:
        self.cameras.subscribe(self.pipeline, Transforms(None, TYPES), self._take)

    def _take(self, name: str, message: Any) -> bool:
        self.put.append(name)
        return False

    def shoot(self, name: str) -> None:
        header = SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=0))
        self.node.hear(f"/{name}/image", SimpleNamespace(header=header, encoding="rgb8"))

    def received(self, name: str) -> int:
        return self.cameras.streams[name].statistics.report().total["received"]


def test_topics_stand_from_offer_to_withdraw_and_are_heard_from_subscribe_to_unsubscribe() -> None:
    scene = Scene()
    scene.cameras.offer()
    assert {"~/left/label", "~/right/label"} <= {*scene.node.offered}
    assert (scene.node.topics, len(scene.cameras.outputs)) == ([], 2)
    scene.subscribe()
    assert {"/left/image", "/right/image"} <= {*scene.node.topics}
    scene.cameras.unsubscribe()
    assert (scene.node.topics, dict(scene.cameras.streams)) == ([], {})
    assert scene.node.offered
    scene.cameras.withdraw()
    assert (scene.node.offered, len(scene.cameras.outputs)) == ([], 0)


def test_every_camera_has_a_stream_of_its_own() -> None:
    scene = Scene()
    scene.cameras.offer()
    scene.subscribe()
    for name in ("left", "right", "right"):
        scene.shoot(name)
    assert scene.put == ["left", "right", "right"]
    assert (scene.received("left"), scene.received("right")) == (1, 2)
    left, right = scene.cameras.streams.values()
    assert left.state is not right.state


def test_counts_go_on_over_a_pause_and_a_clean_up_while_the_state_begins_anew() -> None:
    scene = Scene()
    scene.cameras.offer()
    scene.subscribe()
    scene.shoot("left")
    before = scene.cameras.streams["left"].state
    scene.cameras.unsubscribe()
    scene.cameras.withdraw()
    scene.cameras.offer()
    scene.subscribe()
    scene.shoot("left")
    assert scene.received("left") == 2
    assert scene.cameras.streams["left"].state is not before


def test_a_worker_that_ends_late_keeps_the_streams_that_it_was_given() -> None:
    scene = Scene()
    scene.cameras.offer()
    scene.subscribe()
    given = scene.cameras.streams
    scene.cameras.unsubscribe()
    scene.subscribe()
    assert list(given) == ["left", "right"]
    assert given["left"] is not scene.cameras.streams["left"]
