# SPDX-License-Identifier: Apache-2.0
"""Where a camera sits, out of transforms that come piece by piece."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.messages.clouds.transform_message import TF_MESSAGE
from panoptic_ros.ros.transforms import Transforms
from test.drawn.graph import TYPES, Bench

pytestmark = pytest.mark.ros

OPTICAL = (-0.5, 0.5, -0.5, 0.5)
"""From optical to body axes."""


def turn(axis: int, angle: float) -> tuple[float, float, float, float]:
    part = [0.0, 0.0, 0.0]
    part[axis] = math.sin(angle / 2)
    return part[0], part[1], part[2], math.cos(angle / 2)


def transform(
    parent: str,
    child: str,
    shift: tuple[float, float, float],
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
) -> Any:
    header = TYPES.make("std_msgs/msg/Header", frame_id=parent)
    vector = dict(zip("xyz", shift, strict=True))
    quaternion = dict(zip("xyzw", rotation, strict=True))
    moved = TYPES.make(
        "geometry_msgs/msg/Transform",
        translation=TYPES.make("geometry_msgs/msg/Vector3", **vector),
        rotation=TYPES.make("geometry_msgs/msg/Quaternion", **quaternion),
    )
    return TYPES.make(
        "geometry_msgs/msg/TransformStamped", header=header, child_frame_id=child, transform=moved
    )


def told(*transforms: Any) -> Transforms:
    found = Transforms(None, TYPES)
    for entry in transforms:
        found.take(SimpleNamespace(transforms=[entry]))
    return found


def assert_same(found: CameraPose, expected: CameraPose) -> None:
    np.testing.assert_allclose(found.rotation, expected.rotation, atol=1e-12)
    np.testing.assert_allclose(found.position, expected.position, atol=1e-12)


def test_a_chain_of_transforms_is_one_mounting() -> None:
    transforms = told(
        transform("front", "front_optical", (0.0, 0.0, 0.0), OPTICAL),
        transform("base_link", "mast", (1.0, 0.0, 0.5), turn(2, 0.3)),
        transform("mast", "front", (0.0, 0.2, 1.0), turn(1, 0.1)),
    )
    found = transforms.pose("base_link", "front_optical")
    at = (1.0 - 0.2 * math.sin(0.3), 0.2 * math.cos(0.3), 1.5)
    assert_same(found, CameraPose.of_angles(at, pitch=0.1, yaw=0.3))


def test_base_and_camera_may_hang_below_another_frame() -> None:
    transforms = told(
        transform("odom", "base_footprint", (7.0, 3.0, 0.0), turn(2, 1.0)),
        transform("base_footprint", "base_link", (0.0, 0.0, 0.4)),
        transform("base_footprint", "front", (1.0, 0.0, 1.5), OPTICAL),
    )
    found = transforms.pose("/base_link", "/front")
    assert_same(found, CameraPose.of_angles((1.0, 0.0, 1.1)))


def test_the_newest_transform_counts() -> None:
    transforms = told(
        transform("base_link", "front", (0.0, 0.0, 1.0), OPTICAL),
        transform("base_link", "front", (0.0, 0.0, 2.0), OPTICAL),
    )
    assert transforms.pose("base_link", "front").position[2] == 2.0


@pytest.mark.parametrize(
    ("entries", "frame", "words"),
    [
        ([("map", "front", 1.0)], "front", "no way from 'base_link' to 'front'"),
        ([("map", "front", 1.0)], "", "name no frame"),
        ([], "front", "tf2_msgs is not installed"),
        ([("base_link", "front", -1.0)], "front", "-1.00 m above the ground"),
        ([("front", "back", 1.0), ("back", "front", 1.0)], "front", "no way from"),
    ],
    ids=["not connected", "no frame", "nothing heard", "below the ground", "a circle"],
)
def test_a_camera_without_a_place_is_told(
    entries: list[tuple[str, str, float]], frame: str, words: str
) -> None:
    transforms = told(
        *(transform(parent, child, (0.0, 0.0, z), OPTICAL) for parent, child, z in entries)
    )
    with pytest.raises(ConfigError, match=words):
        transforms.pose("base_link", frame)


def test_what_is_no_rotation_is_left_out() -> None:
    transforms = told(transform("base_link", "front", (0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 0.0)))
    with pytest.raises(ConfigError):
        transforms.pose("base_link", "front")


@pytest.mark.tf
def test_static_transforms_are_heard_even_when_they_were_sent_before() -> None:
    from panoptic_ros.ros.transforms import _STATIC

    bench = Bench()
    try:
        publisher = bench.node.create_publisher(TYPES.find(TF_MESSAGE), "/tf_static", _STATIC)
        entry = transform("base_link", "front", (0.0, 0.0, 1.5), OPTICAL)
        publisher.publish(TYPES.make(TF_MESSAGE, transforms=[entry]))
        transforms = Transforms(bench.node, TYPES)
        assert transforms.is_listening
        bench.until(lambda: transforms.knows("front"))
        assert transforms.pose("base_link", "front").position[2] == 1.5
    finally:
        bench.close()
