# SPDX-License-Identifier: Apache-2.0
"""Argument types that several verbs share."""

from __future__ import annotations

import argparse


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
