# SPDX-License-Identifier: Apache-2.0
"""Where ROS 2 comes from: a distribution or wheels, which middleware, who chose its transports."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from panoptic_ros.cli.diagnosis.modules import Module

_WHEEL = re.compile(r"ros-([a-z]+)-rclpy")


@dataclass(frozen=True)
class Ros:
    """Where ROS 2 comes from.

    Attributes:
        distro: Such as ``jazzy``; empty where it is unknown.
        is_wheels: Whether rclpy is a Python wheel instead of a distribution's package.
        rmw: Identifier of the middleware; empty without rclpy.
        transports: Environment variable that chooses Fast DDS's transports; empty where none.
    """

    distro: str = ""
    is_wheels: bool = False
    rmw: str = ""
    transports: str = ""


def look_at_ros(
    rclpy: Module, environment: Mapping[str, str] | None = None, names: list[str] | None = None
) -> Ros:
    """Find out which ROS 2 this is.

    Args:
        rclpy: What is known of rclpy.
        environment: This process's by default.
        names: Names of the installed Python distributions; asked for by default.
    """
    from panoptic_ros.ros.transport.profile import OTHER_CURES, PROFILE_VARIABLES

    known = os.environ if environment is None else environment
    if names is None:
        names = [str(entry.metadata["Name"] or "") for entry in metadata.distributions()]
    wheels = [match.group(1) for name in names if (match := _WHEEL.fullmatch(name))]
    chosen = [name for name in (*PROFILE_VARIABLES, *OTHER_CURES) if known.get(name)]
    return Ros(
        distro=known.get("ROS_DISTRO") or next(iter(wheels), ""),
        is_wheels=bool(wheels) and not known.get("ROS_DISTRO"),
        rmw=_rmw() if rclpy.is_usable else "",
        transports=next(iter(chosen), ""),
    )


def _rmw() -> str:
    from rclpy.utilities import get_rmw_implementation_identifier

    try:
        return str(get_rmw_implementation_identifier())
    except RuntimeError as error:
        return f"none that loads: {error}"
