# SPDX-License-Identifier: Apache-2.0
"""Parameters as fields of a dataclass: declared once, with description and range, checked here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import reduce
from typing import Any, TypeVar

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import nearest

Config = TypeVar("Config")


def param(
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = True,
    public: str = "",
) -> Any:
    """Declare a parameter of a frozen dataclass.

    Args:
        default: Its value when nobody sets it; its type is the parameter's type.
        description: One sentence for the user.
        low: Least allowed value, None for no bound.
        high: Largest allowed value, None for no bound.
        choices: The allowed words; empty allows any.
        live: Whether it may change while the node is active.
        public: The name that users see, where that is not the attribute's behind its group's.
    """
    about = {
        "description": description,
        "low": low,
        "high": high,
        "choices": choices,
        "live": live,
        "public": public,
    }
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Parameter:
    """A declared parameter.

    ``name`` is what users see, dotted, e.g. ``decode.center_threshold``; ``path`` are the
    attributes that lead to it.
    """

    name: str
    path: tuple[str, ...]
    default: Any
    description: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    live: bool


def parameters(config: Any, groups: tuple[str, ...] = ()) -> Iterator[Parameter]:
    """List the parameters of a config and of the configs inside it, in declaration order.

    Args:
        config: Its values are the parameters' defaults.
        groups: Attributes that lead to it.

    >>> from panoptic_ros.core.config import TrackConfig
    >>> [entry.name for entry in parameters(TrackConfig())][:2]
    ['min_iou', 'birth_score']
    """
    for entry in fields(config):
        value = getattr(config, entry.name)
        path = (*groups, entry.name)
        if is_dataclass(value):
            yield from parameters(value, path)
        elif entry.metadata:
            about = dict(entry.metadata)
            name = about.pop("public") or ".".join(path)
            yield Parameter(name, path, default=value, **about)


def with_value(config: Config, name: str, value: Any) -> Config:
    """Copy a config with one parameter changed.

    Args:
        config: The config to copy.
        name: Dotted name as ``parameters`` lists it.
        value: Its value; a whole number is taken where a float is needed.

    Raises:
        ConfigError: No such parameter, another type, not a number, or out of range.

    >>> from panoptic_ros.core.config import PipelineConfig
    >>> with_value(PipelineConfig(), "decode.center_threshold", 0.2).decode.center_threshold
    0.2
    """
    known = {entry.name: entry for entry in parameters(config)}
    if name not in known:
        kind = type(config).__name__
        raise ConfigError(f"{kind} has no parameter {name}{nearest(name, sorted(known))}")
    changed: Config = _replaced(config, known[name].path, _checked(known[name], value))
    return changed


def check_values(config: Any) -> None:
    """Refuse a config with a value that its declaration does not allow.

    Raises:
        ConfigError: A value is of another type, not a number, out of range or none of the words.
    """
    for entry in parameters(type(config)()):
        try:
            value = reduce(getattr, entry.path, config)
        except AttributeError as error:
            raise ConfigError(f"{entry.name} has no value: {error}") from error
        _checked(entry, value)


def _replaced(config: Any, path: tuple[str, ...], value: Any) -> Any:
    if len(path) == 1:
        return replace(config, **{path[0]: value})
    inner = _replaced(getattr(config, path[0]), path[1:], value)
    return replace(config, **{path[0]: inner})


_IN_WORDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    tuple: "a list",
}


def _checked(about: Parameter, value: Any) -> Any:
    if isinstance(about.default, tuple) and isinstance(value, tuple):
        entry = replace(about, default=about.default[0])
        return tuple(_checked(entry, one) for one in value)
    wanted = type(about.default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise ConfigError(f"{about.name} is {value!r}, needs {_IN_WORDS[wanted]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{about.name} is {value}, needs a finite number")
    if about.choices and value not in about.choices:
        raise ConfigError(f"{about.name} is {value!r}, needs one of: {', '.join(about.choices)}")
    if about.low is not None and value < about.low:
        raise ConfigError(f"{about.name} is {value}, needs at least {about.low}")
    if about.high is not None and value > about.high:
        raise ConfigError(f"{about.name} is {value}, needs at most {about.high}")
    return value
