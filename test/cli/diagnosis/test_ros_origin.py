# SPDX-License-Identifier: Apache-2.0
"""Where ROS 2 comes from."""

from __future__ import annotations

import pytest

from panoptic_ros.cli.diagnosis.modules import Module
from panoptic_ros.cli.diagnosis.ros_origin import Ros, look_at_ros

LARGE = "FASTDDS_BUILTIN_TRANSPORTS"


@pytest.mark.parametrize(
    ("environment", "names", "distro", "is_wheels", "transports"),
    [
        ({"ROS_DISTRO": "humble"}, [], "humble", False, ""),
        ({}, ["numpy", "ros-kilted-rclpy", "ros-rclpy"], "kilted", True, ""),
        ({"ROS_DISTRO": "jazzy"}, ["ros-kilted-rclpy"], "jazzy", False, ""),
        ({LARGE: "LARGE_DATA"}, [], "", False, LARGE),
    ],
    ids=["sourced", "wheels", "sourced wins", "transports"],
)
def test_ros_is_told_from_environment_and_wheels(
    environment: dict[str, str], names: list[str], distro: str, is_wheels: bool, transports: str
) -> None:
    found = look_at_ros(Module(), environment, names)
    assert found == Ros(distro, is_wheels, "", transports)
