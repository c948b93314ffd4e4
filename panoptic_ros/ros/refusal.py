# SPDX-License-Identifier: Apache-2.0
"""What the node's command line says to a word that it does not know."""

from __future__ import annotations

from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.parameters import parameters

_FLAGS = {
    "-p": "NAME:=VALUE",
    "--param": "NAME:=VALUE",
    "-r": "FROM:=TO",
    "--remap": "FROM:=TO",
    "--params-file": "FILE.yaml",
    "--log-level": "LEVEL",
}
"""ROS's own, and what follows each."""


def refusal(word: str) -> str:
    """Say that a word is no argument of the node, and what to write in its place."""
    return (
        f"{word} is not an argument of this command; parameters and remappings come behind "
        f"--ros-args, as in: panoptic_node --ros-args {_hint(word)}"
    )


def _hint(word: str) -> str:
    """The arguments of ROS that a word may have been meant for."""
    if word in _FLAGS:
        return f"{word} {_FLAGS[word]}"
    name, _, value = word.lstrip("-").replace(":=", "=", 1).partition("=")
    if not value and not word.startswith("--"):
        return "-p NAME:=VALUE"
    flag = "-p" if word.startswith("--") or _is_parameter(name) else "-r"
    return f"{flag} {name}:={value or 'VALUE'}"


def _is_parameter(name: str) -> bool:
    return name in {entry.name for entry in parameters(NodeConfig())}
