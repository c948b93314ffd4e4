# SPDX-License-Identifier: Apache-2.0
"""Classes and segments as panoptic data sets list them, whatever the format of their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

VOID_ID = 0
"""Segment id of unlabelled pixels."""


@dataclass(frozen=True)
class Category:
    """A class of a data set.

    Attributes:
        id: The number that the data set uses, not a train id.
        name: What it is called.
        is_thing: Whether its objects are told apart.
        color: (red, green, blue), 0..255 each; (0, 0, 0) where nobody says it.
    """

    id: int
    name: str
    is_thing: bool
    color: tuple[int, int, int] = (0, 0, 0)


class SegmentInfo(NamedTuple):
    """One segment of an annotation; data sets list millions, so it is made and sent quickly.

    Attributes:
        id: Value of its pixels in the map of segment ids.
        category_id: ``id`` of its class.
        area: Pixels, as the annotation says it.
        is_crowd: Whether it is a group whose objects are not told apart.
    """

    id: int
    category_id: int
    area: int
    is_crowd: bool
