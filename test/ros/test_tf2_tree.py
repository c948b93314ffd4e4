# SPDX-License-Identifier: Apache-2.0
"""tf2 answers where it can, the tree where it refuses.

The tests of ``real`` need tf2_ros, which comes with distributions and is no wheel.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.clouds.transform_message import note_transforms
from panoptic_ros.ros.tf2_tree import Tf2Tree, tree_of
from panoptic_ros.ros.transforms import Transforms
from test.drawn.graph import TYPES, Bench

pytestmark = pytest.mark.ros

MS = 1_000_000


class RefusalError(Exception):
    """Stands for tf2's TransformException."""


class DrawnBuffer:
    """Knows the newest transform of each pair and refuses all other times."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Any] = {}

    def set_transform(self, transform: Any, authority: str) -> None:
        assert authority
        self.known[transform.header.frame_id, transform.child_frame_id] = transform

    set_transform_static = set_transform

    def lookup_transform(self, target: str, source: str, time: Any) -> Any:
        found = self.known.get((target, source))
        if found is None or time.nanoseconds:
            raise RefusalError
        return found

    def clear(self) -> None:
        self.known.clear()


def moved(parent: str, child: str, x: float, stamp_ns: int, angle: float = 0.0) -> Any:
    """A TFMessage with one transform: ahead by ``x``, turned about z."""
    stamp = TYPES.make("builtin_interfaces/msg/Time", sec=0, nanosec=stamp_ns)
    turn = {"z": float(np.sin(angle / 2)), "w": float(np.cos(angle / 2))}
    transform = TYPES.make(
        "geometry_msgs/msg/Transform",
        translation=TYPES.make("geometry_msgs/msg/Vector3", x=x, y=0.0, z=0.0),
        rotation=TYPES.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, **turn),
    )
    header = TYPES.make("std_msgs/msg/Header", frame_id=parent, stamp=stamp)
    entry = TYPES.make(
        "geometry_msgs/msg/TransformStamped",
        header=header,
        child_frame_id=child,
        transform=transform,
    )
    return SimpleNamespace(transforms=[entry])


def filled(tree: TransformTree) -> TransformTree:
    """A vehicle that drives and turns, with a camera on it."""
    for message, is_static in (
        (moved("base_link", "camera", 1.0, 0), True),
        (moved("odom", "base_link", 0.0, 100 * MS), False),
        (moved("odom", "base_link", 2.0, 200 * MS, 0.4), False),
    ):
        note_transforms(tree, message, is_static)
        if isinstance(tree, Tf2Tree):
            tree.note_message(message, is_static)
    return tree


def real() -> Tf2Tree:
    tf2 = pytest.importorskip("tf2_ros", reason="tf2_ros comes with ROS distributions only")
    return Tf2Tree(tf2.Buffer(), tf2.TransformException)


TIMES = pytest.mark.parametrize(
    "stamp_ns",
    [None, 100 * MS, 130 * MS, 175 * MS, 200 * MS, 250 * MS, 50 * MS],
    ids=["newest", "first", "between", "between, later", "last", "after", "before"],
)


@TIMES
@pytest.mark.parametrize("pair", [("odom", "camera"), ("/camera", "odom"), ("base_link", "odom")])
def test_tf2_and_our_tree_agree_at_every_time(pair: tuple[str, str], stamp_ns: int | None) -> None:
    found = filled(real()).pose(*pair, stamp_ns)
    expected = filled(TransformTree()).pose(*pair, stamp_ns)
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_frames_that_tf2_cannot_connect_have_no_pose() -> None:
    tree = filled(real())
    assert tree.pose("odom", "lidar") is None
    assert tree.pose("", "odom") is None


def test_tf2s_own_answer_is_taken() -> None:
    tree = Tf2Tree(DrawnBuffer(), RefusalError)
    tree.note_message(moved("odom", "base_link", 5.0, 0), is_static=False)
    pose = tree.pose("/odom", "base_link")
    assert pose is not None
    assert pose[0, 3] == 5.0


def test_the_tree_answers_what_tf2_refuses() -> None:
    pose = filled(Tf2Tree(DrawnBuffer(), RefusalError)).pose("odom", "base_link", 150 * MS)
    assert pose is not None
    assert pose[0, 3] == 1.0


def test_the_node_uses_tf2_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    tf2 = ModuleType("tf2_ros")
    vars(tf2).update(Buffer=DrawnBuffer, TransformException=RefusalError)
    monkeypatch.setitem(sys.modules, "tf2_ros", tf2)
    bench = Bench()
    try:
        transforms = Transforms(bench.node, TYPES)
        transforms.take(moved("base_link", "front", 3.0, 0))
        assert isinstance(transforms.tree, Tf2Tree)
        pose = transforms.tree.pose("base_link", "front")
    finally:
        bench.close()
    assert pose is not None
    assert pose[0, 3] == 3.0


def test_the_node_keeps_transforms_itself_without_tf2(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ModuleType:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    tree, _ = tree_of(object())
    assert type(tree) is TransformTree
