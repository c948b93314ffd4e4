# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: their arguments, and the node's action made from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext
from panoptic_ros.core.files.resources import resource
from panoptic_ros.ros.transport import profile as transport


def node_arguments(**defaults: str) -> list[DeclareLaunchArgument]:
    """Declare the arguments that every launch file has.

    Args:
        defaults: Defaults that differ from the usual ones.
    """
    usual = {
        "params_file": (str(resource("config", "panoptic.yaml")), "Parameters of the node."),
        "namespace": ("", "Namespace of the node and its relative topics."),
        "engine": ("", "Model name or path of an .onnx file; empty leaves it to params_file."),
        "remap": ("", "Classes of ~/remapped/label: name or file; empty as in params_file."),
        "use_sim_time": ("false", "Take the time from /clock."),
        "autostart": ("true", "Configure and activate without a lifecycle manager."),
        "log_level": ("info", "debug, info, warn, error or fatal."),
    }
    return [
        DeclareLaunchArgument(name, default_value=defaults.get(name, value), description=words)
        for name, (value, words) in usual.items()
    ]


def transport_actions() -> list[SetEnvironmentVariable]:
    """Let images of several MB through, unless the user has chosen transports already."""
    made = transport.with_profile()
    return [
        SetEnvironmentVariable(name, value)
        for name, value in made.items()
        if os.environ.get(name) != value
    ]


def panoptic_node(
    context: LaunchContext,
    parameters: Mapping[str, Any] | None = None,
    remappings: Mapping[str, str] | None = None,
) -> Node:
    """Make the node's action.

    Args:
        context: Gives the values of the arguments.
        parameters: What overrides the parameter file.
        remappings: Topics by their names in the node.
    """
    overrides: dict[str, Any] = {
        "use_sim_time": is_true(context, "use_sim_time"),
        "autostart": is_true(context, "autostart"),
        **(parameters or {}),
    }
    for name, parameter in (("engine", "engine"), ("remap", "remap.label")):
        if value := argument(context, name):
            overrides[parameter] = value
    return Node(
        package="panoptic_ros",
        executable="panoptic_node",
        name="panoptic",
        namespace=argument(context, "namespace"),
        parameters=[argument(context, "params_file"), overrides],
        remappings=list((remappings or {}).items()),
        arguments=["--ros-args", "--log-level", argument(context, "log_level")],
        output="screen",
    )


def argument(context: LaunchContext, name: str) -> str:
    """Value of an argument."""
    return str(LaunchConfiguration(name).perform(context))


def is_true(context: LaunchContext, name: str) -> bool:
    """Value of a yes/no argument."""
    return argument(context, name).strip().lower() in ("true", "1", "yes")


def words(context: LaunchContext, name: str) -> list[str]:
    """Value of an argument that holds several words, split at commas."""
    return [word.strip() for word in argument(context, name).split(",") if word.strip()]
