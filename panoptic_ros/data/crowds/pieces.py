# SPDX-License-Identifier: Apache-2.0
"""The connected pieces of a crowd, and what their outlines are like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import Box

LEAST_AREA = 100
"""Smaller pieces have no outline to speak of; they stay crowd."""

_MOST_SOLID = 2.0
_CRACK = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Piece:
    """What is connected of a crowd, cracks of up to two pixels bridged.

    Attributes:
        box: Half open, in pixels of the label image.
        mask: Its pixels within the box, (h, w) bool; those of cracks are not its own.
        area: Its pixels and those of its cracks.
        solidity: That area by the area of its convex hull, 0..2. Above 1 in thin pieces: a hull
            runs through the centres of pixels.
    """

    box: Box
    mask: NDArray[np.bool_]
    area: int
    solidity: float

    @property
    def aspect(self) -> float:
        """Width by height of the box."""
        x0, y0, x1, y1 = self.box
        return (x1 - x0) / (y1 - y0)


def pieces_of(mask: NDArray[np.bool_]) -> Iterator[Piece]:
    """Find the pieces of a crowd.

    Args:
        mask: Its pixels, (H, W).

    Yields:
        Those of ``LEAST_AREA`` and more.
    """
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _CRACK)
    count, parts, statistics, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    for number in range(1, count):
        x, y, width, height, area = statistics[number].tolist()
        if area >= LEAST_AREA:
            window = np.s_[y : y + height, x : x + width]
            part = np.asarray(parts[window] == number)
            box = (x, y, x + width, y + height)
            yield Piece(box, part & mask[window], area, _solidity(part, area))


def _solidity(part: NDArray[np.bool_], area: int) -> float:
    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.contourArea(cv2.convexHull(max(outlines, key=cv2.contourArea)))
    return min(area / hull, _MOST_SOLID) if hull else _MOST_SOLID
