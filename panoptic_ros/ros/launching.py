# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: their arguments, and the node's action made from them.

An argument that is not given leaves its parameter to ``params_file``, to the parameters that an
including launch file sets, or to the node's default, in this order. What cannot work is refused
before any process is started.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch.actions import DeclareLaunchArgument, EmitEvent, SetEnvironmentVariable
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.parameter_file import read_parameters
from panoptic_ros.engine.models import find_model
from panoptic_ros.ros.transport import profile as transport

ARGUMENTS = {
    "params_file": ("", "Parameter file of the node; empty takes the node's defaults."),
    "name": ("panoptic", "Name of the node."),
    "namespace": ("", "Namespace of the node and its relative topics."),
    "engine": ("", "Model name or path of an .onnx file; empty leaves it to params_file."),
    "remap": ("", "Classes of ~/remapped/label: name or file; empty leaves it to params_file."),
    "use_sim_time": ("", "Take the time from /clock; empty leaves it to params_file."),
    "autostart": ("", "Configure and activate by itself; empty leaves it to params_file."),
    "log_level": ("info", "debug, info, warn, error or fatal."),
    "respawn": ("false", "Start the node again when it ends."),
}
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")
RESPAWN_DELAY_S = 2.0
_YES_OR_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class ProcessFailedError(RuntimeError):
    """A process ended with an error, so that the launch must end with one."""


def node_arguments() -> list[DeclareLaunchArgument]:
    """Declare the arguments that every launch file has."""
    return [
        DeclareLaunchArgument(name, default_value=default, description=meaning)
        for name, (default, meaning) in ARGUMENTS.items()
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

    Raises:
        ConfigError: An argument is refused, or the parameter file or the model cannot be read.
    """
    level = choice(context, "log_level", LOG_LEVELS)
    respawns = yes_or_no(context, "respawn") is True
    return Node(
        package="panoptic_ros",
        executable="panoptic_node",
        name=argument(context, "name"),
        namespace=argument(context, "namespace"),
        parameters=[*_file(context), {**_overrides(context), **(parameters or {})}],
        remappings=list((remappings or {}).items()),
        arguments=["--ros-args", "--log-level", level],
        output="screen",
        respawn=respawns,
        respawn_delay=RESPAWN_DELAY_S,
        on_exit=None if respawns else end_with,
    )


def _file(context: LaunchContext) -> list[str]:
    """The parameter file, where there is one, after it was read as the node will read it."""
    path = argument(context, "params_file")
    if not path:
        return []
    read_parameters(Path(path), full_name(context))
    return [path]


def _overrides(context: LaunchContext) -> dict[str, Any]:
    """Parameters of the arguments that were given."""
    overrides: dict[str, Any] = {}
    for name in ("use_sim_time", "autostart"):
        if (value := yes_or_no(context, name)) is not None:
            overrides[name] = value
    if engine := argument(context, "engine"):
        if engine != "drawn":
            find_model(engine)
        overrides["engine"] = engine
    if remap := argument(context, "remap"):
        overrides["remap.label"] = remap
    return overrides


def end_with(event: Any, context: LaunchContext) -> list[EmitEvent]:
    """End the launch with a process; with an error where the process had one.

    Raises:
        ProcessFailedError: The exit status was not 0 and the launch was not ending anyway.
    """
    name = event.process_name.rpartition("-")[0]
    if event.returncode and not context.is_shutdown:
        raise ProcessFailedError(f"{name} ended with status {event.returncode}")
    return [EmitEvent(event=Shutdown(reason=f"{name} ended"))]


def full_name(context: LaunchContext) -> str:
    """The node's name with its namespace."""
    return in_namespace(context, argument(context, "name"))


def in_namespace(context: LaunchContext, topic: str) -> str:
    """A topic as the node sees it: relative names lie in the node's namespace."""
    space = argument(context, "namespace").strip("/")
    return topic if topic.startswith("/") or not space else f"/{space}/{topic}"


def argument(context: LaunchContext, name: str) -> str:
    """Value of an argument."""
    return str(LaunchConfiguration(name).perform(context)).strip()


def yes_or_no(context: LaunchContext, name: str) -> bool | None:
    """Value of a yes/no argument; None where it is empty.

    Raises:
        ConfigError: It is something else.
    """
    value = argument(context, name).lower()
    if not value:
        return None
    if value not in _YES_OR_NO:
        raise ConfigError(f"{name}:={value} is refused; write {name}:=true or {name}:=false")
    return _YES_OR_NO[value]


def choice(context: LaunchContext, name: str, known: tuple[str, ...]) -> str:
    """Value of an argument that must be one of some words.

    Raises:
        ConfigError: It is not.
    """
    value = argument(context, name)
    if value not in known:
        raise ConfigError(f"{name}:={value} is refused; there are: {', '.join(known)}")
    return value


def words(context: LaunchContext, name: str) -> list[str]:
    """Value of an argument that holds several words, split at commas."""
    return [word.strip() for word in argument(context, name).split(",") if word.strip()]
