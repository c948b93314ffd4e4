# SPDX-License-Identifier: Apache-2.0
"""Where message classes come from: ROS packages here, a bag library's type store elsewhere."""

from __future__ import annotations

import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.allocation import owner_of


@dataclass(frozen=True)
class MessageTypes:
    """Makes messages without knowing who defines them.

    Attributes:
        find: Class of a message by full name such as ``sensor_msgs/msg/Image``; raises
            ``KeyError`` where there is none.
        payload: Turns an array of any type and shape into what the class takes for ``uint8[]``.
        numbers: Turns an array into what the class takes for a sequence of its type.
    """

    find: Callable[[str], Any]
    payload: Callable[[NDArray[Any]], Any]
    numbers: Callable[[NDArray[Any]], Any] = np.ravel

    def make(self, name: str, /, **fields: Any) -> Any:
        """Make a message; all of its fields must be given.

        Raises:
            KeyError: There is no such message here.
        """
        kind = self.find(name)
        arrays = {key: value for key, value in fields.items() if isinstance(value, array.array)}
        if not arrays:
            return kind(**fields)
        small = {key: value for key, value in fields.items() if key not in arrays}
        # rclpy's constructors copy an array; its setters take it over, from Jazzy on only where
        # they check it.
        checks = {"check_fields": True} if hasattr(kind, "_check_fields") else {}
        message = kind(**small, **checks)
        for key, value in arrays.items():
            setattr(message, key, value)
        return message

    def has(self, name: str) -> bool:
        """Whether there is such a message here."""
        try:
            self.find(name)
        except KeyError:
            return False
        return True


def rclpy_types() -> MessageTypes:
    """Messages of the installed ROS packages."""
    return MessageTypes(_ros_class, _to_bytes, _to_array)


def _ros_class(name: str) -> Any:
    found = _imported(name)
    if found is None:
        raise KeyError(name)
    return found


@lru_cache(maxsize=64)
def _imported(name: str) -> Any:
    """Class of a message, None where it is not installed: a failed import costs 9 ms each time."""
    package, _, kind = name.split("/")
    try:
        return getattr(import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError):
        return None


def _to_bytes(values: NDArray[Any]) -> array.array[int]:
    owner = owner_of(values)
    if owner is not None:
        return owner
    return _to_array(np.ascontiguousarray(values).reshape(-1).view(np.uint8))


def _to_array(values: NDArray[Any]) -> array.array[Any]:
    # Any other type than array.array is checked value by value: 11 to 500 ms per image.
    content = array.array(values.dtype.char)
    content.frombytes(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return content
