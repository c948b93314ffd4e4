# SPDX-License-Identifier: Apache-2.0
"""Argument types that several verbs share."""

from __future__ import annotations

import argparse
import math
import re
import shlex
from collections.abc import Callable

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.parameters import parameters

_MOST_THREADS = next(
    int(entry.high or 0) for entry in parameters(EngineConfig()) if entry.path == ("threads",)
)
_PASSWORD = re.compile(r"//[^/@\s]*@")


def size(text: str) -> tuple[int, int]:
    """Read ``WxH``.

    Raises:
        argparse.ArgumentTypeError: It is not two positive whole numbers.

    >>> size("512x256")
    (512, 256)
    """
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it like 512x256")
    return int(width), int(height)


def numbers(text: str) -> tuple[float, float, float]:
    """Read one number for each of three channels.

    Raises:
        argparse.ArgumentTypeError: It is not three finite numbers.

    >>> numbers("0.485,0.456,0.406")
    (0.485, 0.456, 0.406)
    """
    try:
        first, second, third = map(float, text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not three numbers; write them like 0.485,0.456,0.406"
        ) from error
    if not all(map(math.isfinite, (first, second, third))):
        raise argparse.ArgumentTypeError(f"{text!r} needs finite numbers")
    return first, second, third


def above_zero(text: str) -> float:
    """Read a finite number above 0.

    Raises:
        argparse.ArgumentTypeError: It is none.

    >>> above_zero("0.5")
    0.5
    """
    return _number(text, "a number above 0", lambda value: value > 0)


def not_negative(text: str) -> float:
    """Read a finite number that is not below 0.

    Raises:
        argparse.ArgumentTypeError: It is none.

    >>> not_negative("0")
    0.0
    """
    return _number(text, "a number of at least 0", lambda value: value >= 0)


def _number(text: str, needed: str, is_good: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and is_good(value)):
        raise argparse.ArgumentTypeError(f"{text!r} is not {needed}")
    return value


def share(text: str) -> float:
    """Read a number from 0 to 1.

    Raises:
        argparse.ArgumentTypeError: It is none.

    >>> share("0.5")
    0.5
    """
    return _number(text, "a number from 0 to 1", lambda value: 0 <= value <= 1)


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Make a reader of whole numbers; it raises ``argparse.ArgumentTypeError`` for another text.

    Args:
        least: The smallest that is taken.
        most: The largest, None for any.

    >>> whole_number(0)("2")
    2
    """

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            limits = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {limits}")
        return value

    return read


def add_threads_argument(parser: argparse._ActionsContainer) -> None:
    """Declare the CPU threads of one inference."""
    parser.add_argument(
        "--threads",
        type=whole_number(0, _MOST_THREADS),
        default=0,
        help="CPU threads of inference; 0: one per core",
    )


def command_line(args: argparse.Namespace) -> str:
    """Return the command as it was typed, ready to be run again; without passwords of streams."""
    words = (_PASSWORD.sub("//", word) for word in getattr(args, "words", ()))
    return shlex.join(["panoptic", *words])
