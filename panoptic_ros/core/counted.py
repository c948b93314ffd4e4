# SPDX-License-Identifier: Apache-2.0
"""A number and its noun, in the singular where it is one."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """Say how many there are.

    Args:
        count: How many.
        noun: In the singular; an adjective may stand before it.
        plural: Where it is not the noun with an s.

    >>> counted(1, "frame"), counted(0, "frame"), counted(3, "video topic")
    ('1 frame', '0 frames', '3 video topics')
    >>> counted(2, "class", "classes")
    '2 classes'
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
