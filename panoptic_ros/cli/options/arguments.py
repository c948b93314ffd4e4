# SPDX-License-Identifier: Apache-2.0
"""Argument types that several verbs share."""

from __future__ import annotations

import argparse
import math
import re
import shlex

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


def command_line(args: argparse.Namespace) -> str:
    """Return the command as it was typed, ready to be run again; without passwords of streams."""
    words = (_PASSWORD.sub("//", word) for word in getattr(args, "words", ()))
    return shlex.join(["panoptic", *words])
