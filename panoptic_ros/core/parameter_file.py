# SPDX-License-Identifier: Apache-2.0
"""Read the node's parameter file as ROS does: which node a block is for, and which block wins.

Source: ``rcl_yaml_param_parser`` and rclpy's ``Node``: blocks are taken in the order of the file,
each whose name fits the node's; ``/*`` is any one name, ``/**`` any number of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import nearest, read_yaml_file
from panoptic_ros.core.ground.extent import grid_shape
from panoptic_ros.core.node_config import DECLARED, NODE_NAME, NodeConfig
from panoptic_ros.core.parameters import Parameter, with_value

_BLOCK = "ros__parameters"
_OF_EVERY_NODE = re.compile(r"use_sim_time|start_type_description_service|qos_overrides\..*")
"""Parameters that ROS itself gives a node."""


def read_parameters(path: Path | None, node: str = "") -> NodeConfig:
    """Read the parameters that a node would have with a file.

    Args:
        path: The file; None gives the defaults.
        node: Name of the node, with its namespace; empty for the one that is called ``panoptic``.

    Returns:
        The parameters, with the topics of images and point clouds as they are on the graph.

    Raises:
        ConfigError: The file is missing, is no parameter file, has nothing for the node or has it
            under two names, has a parameter that there is not, or a value is refused, alone or
            with others.
    """
    config = NodeConfig()
    if path is None:
        return config
    try:
        blocks = list(_blocks(read_yaml_file(path)))
        wanted = _wanted_name([name for name, _ in blocks], node)
        for name, value in _of_node(blocks, wanted):
            if not _OF_EVERY_NODE.fullmatch(name):
                config = with_value(config, name, _as_ros(name, value))
        grid_shape(config.ground)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return config.resolved(wanted)


def _blocks(document: Any, namespace: str = "") -> Iterator[tuple[str, Any]]:
    """List the names of nodes, with their namespaces, and what is said below them."""
    for name, inner in document.items() if isinstance(document, dict) else ():
        if name == _BLOCK:
            yield namespace, inner
        else:
            yield from _blocks(inner, f"{namespace}/{str(name).strip('/')}")


def _wanted_name(names: list[str], node: str) -> str:
    """Say in full which node's parameters count, of a file with blocks of these names."""
    if not names:
        raise ConfigError(f"has no {_BLOCK!r} below a node's name")
    return f"/{node.strip('/')}" if node else _own_name(names)


def _of_node(blocks: list[tuple[str, Any]], wanted: str) -> Iterator[tuple[str, Any]]:
    """List a node's parameters; of those with the same name the last counts."""
    fitting = [(name, block) for name, block in blocks if _fits(name, wanted)]
    if not fitting:
        others = ", ".join(dict.fromkeys(name for name, _ in blocks))
        raise ConfigError(
            f"has nothing for the node {wanted}, only for {others}; choose one with --params-node"
        )
    for name, block in fitting:
        if not isinstance(block, dict):
            raise ConfigError(f"{_BLOCK} of {name} is {block!r}, needs names and values")
        yield from _flat(block, "")


def _own_name(names: list[str]) -> str:
    """Find our node among those of a file.

    Raises:
        ConfigError: Several are called like it, in different namespaces.
    """
    ours = sorted({name for name in names if name.rpartition("/")[2] == NODE_NAME} - _wild(names))
    if len(ours) > 1:
        raise ConfigError(
            f"has parameters of {len(ours)} nodes called {NODE_NAME}: {', '.join(ours)}; choose "
            f"one with --params-node, e.g. --params-node {ours[0]}"
        )
    return ours[0] if ours else f"/{NODE_NAME}"


def _wild(names: list[str]) -> set[str]:
    return {name for name in names if "*" in name}


def _fits(pattern: str, node: str) -> bool:
    """Tell whether a block is for a node.

    >>> [_fits(name, "/front/panoptic") for name in ("/**", "/*", "/*/panoptic", "/panoptic")]
    [True, False, True, False]
    """
    parts = {"/**": r"(/\w+)*", "/*": r"/\w+"}
    words = re.findall(r"/\*\*|/\*|[^/*]+|[/*]", pattern)
    return (
        re.fullmatch("".join(parts.get(word) or re.escape(word) for word in words), node)
        is not None
    )


def _flat(block: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in block.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _as_ros(name: str, value: Any) -> Any:
    """Take a value as ROS does, which turns no whole number into a double.

    Raises:
        ConfigError: There is no such parameter, or it is a double and the value a whole number.
    """
    if name not in DECLARED:
        raise ConfigError(f"the node has no parameter {name!r}{nearest(name, DECLARED)}")
    if is_whole_for_double(DECLARED[name], value):
        raise ConfigError(whole_number_words(name, value))
    # YAML has lists where parameters are tuples.
    return tuple(value) if isinstance(value, list) else value


def is_whole_for_double(entry: Parameter, value: Any) -> bool:
    """Whether a whole number was given for a double."""
    return isinstance(entry.default, float) and type(value) is int


def whole_number_words(name: str, value: object) -> str:
    """Say how a whole number has to be written, in files and on the command line alike."""
    return f"{name} is {value}, a whole number, and needs a double: write {value}.0"
