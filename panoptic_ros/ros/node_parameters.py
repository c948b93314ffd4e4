# SPDX-License-Identifier: Apache-2.0
"""The parameters of the running node: declared to ROS, checked on every change, kept as one."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import nearest
from panoptic_ros.core.node_config import DECLARED, NodeConfig
from panoptic_ros.core.parameter_file import is_whole_for_double, whole_number_words
from panoptic_ros.core.parameters import Parameter
from panoptic_ros.ros.parameters import (
    UNCONFIGURED_ONLY,
    changed,
    check_together,
    descriptor,
    plain,
    ros_value,
    type_name,
)


class NodeParameters:
    """Declares all parameters of a node and follows their changes.

    Bad values from outside wait for ``check``, so that the node can be set right while it runs.

    Args:
        node: Whose parameters they are.
        is_configured: Whether only live parameters may change.
        follow: Takes over a config and the names that were set in it; raises ``ConfigError``
            where it cannot.
    """

    def __init__(
        self,
        node: Any,
        is_configured: Callable[[], bool],
        follow: Callable[[NodeConfig, list[str]], None] = lambda config, names: None,
    ) -> None:
        self._config = NodeConfig()
        self._refused: dict[str, str] = {}
        self._is_configured = is_configured
        self._follow = follow
        node.add_on_set_parameters_callback(self._on_set)
        for entry in DECLARED.values():
            about, value = descriptor(entry), ros_value(entry)
            try:
                node.declare_parameter(entry.name, value, about)
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                node.declare_parameter(entry.name, value, about, ignore_override=True)
                self._refused[entry.name] = _refusal(entry, str(error))

    @property
    def config(self) -> NodeConfig:
        """The parameters in force; replaced as a whole, so any thread may read it."""
        return self._config

    def check(self) -> None:
        """Refuse what came from outside and cannot be used.

        Raises:
            ConfigError: Some value is bad, or some do not fit together.
        """
        if self._refused:
            raise ConfigError("; ".join(self._refused.values()))
        check_together(self._config)

    def _on_set(self, wanted: list[Any]) -> SetParametersResult:
        ours = [(entry.name, entry.value) for entry in wanted if entry.name in DECLARED]
        try:
            if self._is_configured():
                _check_live(self._config, ours)
            config = changed(self._config, ours)
            if self._is_configured():
                check_together(config)
            self._follow(config, [name for name, _ in ours])
            self._config = config
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        for name, _ in ours:
            self._refused.pop(name, None)
        return SetParametersResult(successful=True)


def say_what_is_unknown(node: Any) -> None:
    """Warn of each parameter that was given and that the node has not; ROS passes over it.

    Args:
        node: Has declared all that it has. What a file says below ``/**`` for others counts, too,
            so it is no error.
    """
    for name in sorted(getattr(node, "_parameter_overrides", {})):
        if not node.has_parameter(name) and not name.startswith("qos_overrides."):
            node.get_logger().warning(
                f"there is no parameter {name!r}, so it has no effect{nearest(name, DECLARED)}"
            )


def refuse_unknown(node: Any, wanted: list[Any]) -> SetParametersResult | None:
    """Refuse to set a parameter that the node has not, of which ROS says no name.

    Args:
        node: Has declared all that it has.
        wanted: Parameters that are to be set, each with a ``name``.

    Returns:
        The refusal, None where the node has all of them.
    """
    for name in [entry.name for entry in wanted if not node.has_parameter(entry.name)]:
        reason = f"there is no parameter {name!r}{nearest(name, DECLARED)}"
        return SetParametersResult(successful=False, reason=reason)
    return None


def _refusal(entry: Parameter, error: str) -> str:
    """Say why ROS refused a value, in our words where ROS names the parameter again and again."""
    whole = re.search(r"to '(-?\d+)' of type 'INTEGER'", error)
    if whole and is_whole_for_double(entry, int(whole[1])):
        return f"parameter {whole_number_words(entry.name, whole[1])}"
    other = re.search(r"to '(.*)' of type '(\w+)', expecting", error, re.DOTALL)
    if other:
        found = other[2].lower()
        return f"parameter {entry.name} is {other[1]}, of type {found}, needs {type_name(entry)}"
    # Behind the reason stands the name once more.
    reason = error.partition("Reason: ")[2].removesuffix(f": {entry.name}") or error
    if entry.name in reason:
        return reason if reason.startswith("Parameter ") else f"parameter {reason}"
    return f"parameter {entry.name}: {reason}"


def _check_live(config: NodeConfig, values: list[tuple[str, Any]]) -> None:
    """Refuse to change what is not live; what it is already, as in a dump, changes nothing."""
    for name, value in values:
        entry = DECLARED[name]
        if not entry.live and plain(value) != attrgetter(".".join(entry.path))(config):
            raise ConfigError(f"{name}: {UNCONFIGURED_ONLY}")
