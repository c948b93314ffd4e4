# SPDX-License-Identifier: Apache-2.0
"""What a worker does at once, a bag or a part of one, and what it says where more is due."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A bag, or one part of it.

    Attributes:
        uri: Address of the bag.
        part: Number of the part; None for the bag, whose parts are joined if it is cut.
    """

    uri: str
    part: int | None = None


@dataclass(frozen=True)
class Unfinished:
    """A task is done, and its bag is not.

    Attributes:
        parts: Parts that must be labelled before the bag; empty after the task of a part.
    """

    parts: tuple[int, ...] = ()
