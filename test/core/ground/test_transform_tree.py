# SPDX-License-Identifier: Apache-2.0
"""Poses of frames over time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.ground.transform_tree import TransformTree, between

SECOND = 1_000_000_000


def pose(x: float = 0.0, yaw: float = 0.0) -> NDArray[np.float64]:
    made = np.eye(4)
    made[:2, :2] = [[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]]
    made[0, 3] = x
    return made


@pytest.fixture
def tree() -> TransformTree:
    """A base that drives 1 m/s and turns 0.1 rad/s, with a LiDAR 2 m before it."""
    made = TransformTree()
    made.put("lidar", "base_link", pose(2.0))
    for number in range(6):
        made.put("base_link", "odom", pose(number, 0.1 * number), number * SECOND)
    return made


def place(tree: TransformTree, base: str, frame: str, stamp_ns: int | None = None) -> float:
    found = tree.pose(base, frame, stamp_ns)
    assert found is not None
    return float(found[0, 3])


def test_without_a_time_the_newest_pose_counts(tree: TransformTree) -> None:
    assert place(tree, "odom", "base_link") == 5.0


@pytest.mark.parametrize(
    ("time_s", "x"), [(0.0, 0.0), (2.0, 2.0), (2.25, 2.25), (-1.0, 0.0), (9.0, 5.0)]
)
def test_poses_are_interpolated_and_nothing_is_foretold(
    tree: TransformTree, time_s: float, x: float
) -> None:
    assert place(tree, "odom", "base_link", int(time_s * SECOND)) == pytest.approx(x)


def test_turns_are_even(tree: TransformTree) -> None:
    found = tree.pose("odom", "base_link", int(2.5 * SECOND))
    assert found is not None
    assert math.atan2(found[1, 0], found[0, 0]) == pytest.approx(0.25)


def test_static_frames_ride_along(tree: TransformTree) -> None:
    assert place(tree, "base_link", "lidar", 3 * SECOND) == 2.0
    assert place(tree, "odom", "lidar", 3 * SECOND) == pytest.approx(3 + 2 * math.cos(0.3))


def test_frames_that_are_not_connected_have_no_pose(tree: TransformTree) -> None:
    assert tree.pose("odom", "camera") is None
    assert tree.pose("/odom", "/lidar") is not None


def test_a_recording_that_starts_again_has_no_future(tree: TransformTree) -> None:
    tree.put("base_link", "odom", pose(-7.0), SECOND // 2)
    assert place(tree, "odom", "base_link") == -7.0
    assert place(tree, "odom", "base_link", 4 * SECOND) == -7.0


def test_the_past_is_short() -> None:
    tree = TransformTree()
    for number in range(100):
        tree.put("base_link", "odom", pose(number), number * SECOND)
    assert place(tree, "odom", "base_link", 0) == 89.0


def test_a_circle_of_frames_ends() -> None:
    tree = TransformTree()
    tree.put("a", "b", pose(1.0))
    tree.put("b", "a", pose(1.0))
    assert tree.pose("c", "a") is None


def test_half_of_a_turn_about_is_a_quarter() -> None:
    half = between(pose(), pose(4.0, math.pi - 1e-9), 0.5)
    assert half[0, 3] == pytest.approx(2.0)
    assert abs(half[0, 0]) < 1e-6
