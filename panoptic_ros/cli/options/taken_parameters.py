# SPDX-License-Identifier: Apache-2.0
"""The node's parameter file in the verbs: what each of them takes of it, and leaves out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.core.node_config import DECLARED, NODE_NAME, NodeConfig
from panoptic_ros.core.parameter_file import read_parameters
from panoptic_ros.core.parameters import parameters, with_value

RESULT = ("decode", "tracking", "drivable")
VIEW = ("ego_mask", "rotation", "region", "output")
MESSAGES = ("remap", "overlay", "jpeg_quality", "panoptic_encoding")
ENGINE = tuple(name for name in DECLARED if name.startswith("engine_"))
"""How the robot's computer runs the engine; ``engine`` itself says which it is."""

ALWAYS = ("engine", "cameras", "image_topics")
"""The engine, unless ``--engine`` names one, and which entry of a list a recording is about."""

RUNNING = (
    "camera_info_topics",
    "autostart",
    "overlap",
    "stale_after_s",
    "stale_action",
    "diagnostics_period_s",
    "trace",
)
"""About a node that runs: what a verb writes does not depend on them, so no line tells of them."""

TAKEN: dict[str, tuple[str, ...]] = {
    "replay": (*RESULT, *VIEW, "max_rate_hz", *MESSAGES, "ground", "points", "cloud_topics"),
    "predict": (*RESULT, *VIEW, "max_rate_hz", "overlay"),
    "label": (*RESULT, *VIEW, *MESSAGES),
    "eval": RESULT,
    "diff": RESULT,
    "split-crowds": ("decode",),
    "demo": (
        *ENGINE,
        *RESULT,
        "ego_mask",
        "max_rate_hz",
        "overlay",
        "ground",
        "overlap",
        "stale_after_s",
        "stale_action",
        "diagnostics_period_s",
        "trace",
    ),
}
"""Parameters, or groups of them, that shape what a verb writes."""


def add_parameter_arguments(parser: argparse._ActionsContainer, verb: str) -> None:
    """Declare the node's parameter file."""
    parser.add_argument(
        "--params",
        type=Path,
        metavar="YAML",
        help=f"parameter file of the node; taken: {taken_in_words(verb)}",
    )
    add_node_argument(parser)


def add_node_argument(parser: argparse._ActionsContainer) -> None:
    """Declare which node of a parameter file counts."""
    parser.add_argument(
        "--params-node",
        default="",
        metavar="NAME",
        help=f"node whose parameters to use, if the file has several {NODE_NAME} nodes",
    )


def taken_in_words(verb: str) -> str:
    """What a verb takes of a parameter file, or what it does not, whichever is said sooner."""
    known = (*TAKEN[verb], *ALWAYS, *RUNNING)
    groups = dict.fromkeys(name.partition(".")[0] for name in DECLARED)
    rest = ", ".join(name for name in groups if not is_of(name, known))
    return min(", ".join(TAKEN[verb]), f"all but {rest}", key=len)


def parameters_of(args: argparse.Namespace, verb: str) -> NodeConfig:
    """Read what a verb takes of ``--params``; see ``taken_parameters``."""
    only_with("--params", args.params, {"--params-node": args.params_node})
    return taken_parameters(args.params, verb, args.params_node)


def taken_parameters(path: Path | None, verb: str, node: str = "") -> NodeConfig:
    """Read the parameters that a verb takes; one line tells which others the file sets.

    Args:
        path: The file; None gives the defaults.
        verb: Name of the verb.
        node: Name of the node, where the file has several.

    Returns:
        The file's values of what the verb takes and of ``ALWAYS``, else the defaults.

    Raises:
        ConfigError: The file cannot be used; see ``read_parameters``.
    """
    found = read_parameters(path, node)
    config, left_out = NodeConfig(), []
    for name, value in changed_parameters(found).items():
        if is_of(name, (*TAKEN[verb], *ALWAYS)):
            config = with_value(config, name, value)
        elif name not in RUNNING:
            left_out.append(name)
    if left_out:
        print(
            f"panoptic {verb}: {path}: without effect here: {', '.join(left_out)}",
            file=sys.stderr,
        )
    return config


def changed_parameters(config: NodeConfig) -> dict[str, Any]:
    """Values that are not the defaults, by name."""
    return {
        entry.name: entry.default
        for entry in parameters(config)
        if entry.default != DECLARED[entry.name].default
    }


def is_of(name: str, groups: Collection[str]) -> bool:
    """Whether a parameter is one of these, or in one of these groups.

    >>> is_of("decode.max_objects", ("decode",)), is_of("engine_threads", ("engine",))
    (True, False)
    """
    return name in groups or name.partition(".")[0] in groups
