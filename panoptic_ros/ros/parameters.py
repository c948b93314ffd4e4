# SPDX-License-Identifier: Apache-2.0
"""How ROS is told about the node's parameters, and what they mean together."""

from __future__ import annotations

import json
import re
import textwrap
from array import array
from collections.abc import Iterable
from typing import Any

from panoptic_ros.core.camera.view import CameraView
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.extent import grid_shape
from panoptic_ros.core.node_config import DECLARED, NodeConfig
from panoptic_ros.core.parameters import Parameter, with_value

_TOPIC_NAME = re.compile(r"(~/|/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)
YAML_HEAD = "# All parameters of panoptic_node with their defaults; see docs/parameters.md."
YAML_SCHEMA = "# yaml-language-server: $schema=panoptic.schema.json"
UNCONFIGURED_ONLY = "Changes only while the node is unconfigured."


def changed(config: NodeConfig, values: Iterable[tuple[str, Any]]) -> NodeConfig:
    """Copy a config with parameters as ROS hands them over.

    Args:
        config: The config in force.
        values: Names and values.

    Raises:
        ConfigError: A value cannot be used, or the cameras do not fit together.
    """
    for name, value in values:
        config = with_value(config, name, plain(value))
    return config


def plain(value: Any) -> Any:
    """Turn a value of ROS into that of a config.

    A list becomes a tuple, and so does the ``array`` as which numbers come out of a message.
    """
    return tuple(value) if isinstance(value, (list, array)) else value


def check_cameras(config: NodeConfig) -> None:
    """Refuse camera lists that do not fit together.

    Raises:
        ConfigError: No camera, a name twice or not a ROS name, lists of different length, or what
            is said about a camera cannot be used.
    """
    names = config.cameras
    bad = [name for name in names if not (name.isidentifier() and name.isascii())]
    if not names or bad or len(set(names)) < len(names):
        raise ConfigError(
            f"cameras is {list(names)}, needs different names of letters, digits and '_'"
        )
    for name in names:
        CameraView(config.camera(name))
    for title in ("image_topics", "camera_info_topics", "cloud_topics"):
        config.check_topic_count(title)
        for topic in filter(None, getattr(config, title)):
            if not _TOPIC_NAME.fullmatch(topic):
                raise ConfigError(
                    f"{title} has {topic!r}, which is not a topic name; use letters, digits, '_', "
                    "and '/' between the parts"
                )


def check_together(config: NodeConfig) -> None:
    """Refuse values that are good alone and do not fit together.

    Raises:
        ConfigError: The cameras do not, or the grid has too many cells.
    """
    check_cameras(config)
    grid_shape(config.ground)


def type_name(entry: Parameter) -> str:
    """Type of a parameter in ROS words."""
    names = {bool: "bool", int: "integer", float: "double", str: "string"}
    if isinstance(entry.default, tuple):
        return f"{names[type(entry.default[0])]}_array"
    return names[type(entry.default)]


def ros_value(entry: Parameter) -> Any:
    """Default of a parameter as YAML and ROS write it."""
    return list(entry.default) if isinstance(entry.default, tuple) else entry.default


def descriptor(entry: Parameter) -> Any:
    """Tell ROS about a parameter: a ``rcl_interfaces/msg/ParameterDescriptor``."""
    from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

    about = ParameterDescriptor(
        name=entry.name,
        description=entry.description,
        additional_constraints=_constraints(entry),
    )
    if entry.low is None or entry.high is None:
        return about
    if isinstance(entry.default, float):
        about.floating_point_range = [
            FloatingPointRange(from_value=float(entry.low), to_value=float(entry.high), step=0.0)
        ]
    else:
        about.integer_range = [
            IntegerRange(from_value=int(entry.low), to_value=int(entry.high), step=1)
        ]
    return about


def _constraints(entry: Parameter) -> str:
    choices = f"One of: {', '.join(entry.choices)}. " if entry.choices else ""
    return choices + ("" if entry.live else UNCONFIGURED_ONLY)


def to_yaml() -> str:
    """Write all parameters with their defaults as a ROS parameter file with comments."""
    lines = [YAML_HEAD, YAML_SCHEMA, "/**:", "  ros__parameters:"]
    depth: tuple[str, ...] = ()
    for entry in DECLARED.values():
        *groups, name = entry.name.split(".")
        if tuple(groups) != depth:
            lines.extend(f"{'  ' * (2 + level)}{g}:" for level, g in enumerate(groups))
            depth = tuple(groups)
        indent = "  " * (2 + len(groups))
        words = f"{entry.description}{_range_words(entry)}"
        comment = f"{indent}# "
        lines += textwrap.wrap(words, 99, initial_indent=comment, subsequent_indent=comment)
        lines.append(f"{indent}{name}: {json.dumps(ros_value(entry))}")
    return "\n".join(lines) + "\n"


def to_markdown() -> str:
    """Write all parameters as a table."""
    rows = ["| parameter | type | default | range | live | meaning |", "|---|---|---|---|---|---|"]
    for entry in DECLARED.values():
        default = json.dumps(ros_value(entry))
        allowed = _range_words(entry).strip(" ()") or "any"
        live = "yes" if entry.live else "no"
        rows.append(
            f"| `{entry.name}` | {type_name(entry)} | `{default}` | {allowed} | {live} "
            f"| {entry.description} |"
        )
    return "\n".join(rows) + "\n"


def _range_words(entry: Parameter) -> str:
    if entry.choices:
        return f" ({', '.join(entry.choices)})"
    return "" if entry.low is None else f" ({entry.low:g} to {entry.high:g})"
