# SPDX-License-Identifier: Apache-2.0
"""Connected regions of one thing class, which stand for objects that nobody tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import Box, Segment


@dataclass(frozen=True, eq=False)
class Region:
    """A connected region of one thing class.

    Attributes:
        label: Class index.
        score: Mean probability of the class over its pixels, 0..1.
        area: Its pixels.
        box: Tight around them.
        mask: Which pixels of the box are its own, bool.
    """

    label: int
    score: float
    area: int
    box: Box
    mask: NDArray[np.bool_]

    def draw(self, ids: NDArray[np.uint16], number: int) -> None:
        """Write its number onto its pixels of a map, in place."""
        x0, y0, x1, y1 = self.box
        ids[y0:y1, x0:x1][self.mask] = number

    def segment(self, number: int, score: float) -> Segment:
        """Make an object of it."""
        return Segment(number, self.label, score, self.area, self.box)


def strongest(regions: Iterable[Region], count: int) -> list[Region]:
    """Order regions from the strongest to the weakest, ties from the top left, and cut off."""
    order = sorted(regions, key=lambda each: (-each.score, each.box[1], each.box[0], each.label))
    return order[:count]


def regions_of(
    label: int, where: NDArray[np.bool_], confidence: NDArray[np.uint8], least: int
) -> Iterator[Region]:
    """Find the regions of a class that have at least ``least`` pixels.

    Args:
        label: Class index.
        where: Its pixels, (h, w).
        confidence: Probability times 255 of each pixel's class, (h, w).
        least: In pixels.
    """
    everywhere = where.view(np.uint8)
    # Only the part of the map that has the class is looked at.
    x, y, width, height = cv2.boundingRect(everywhere)
    part = (slice(y, y + height), slice(x, x + width))
    inside = everywhere[part].view(np.bool_)
    count, numbers, facts, _ = cv2.connectedComponentsWithStats(everywhere[part], connectivity=8)
    sums = np.bincount(numbers[inside], confidence[part][inside], minlength=count)
    large = np.flatnonzero(facts[1:, cv2.CC_STAT_AREA] >= least) + 1
    for number in large.tolist():
        left, top, wide, high, area = facts[number].tolist()
        mask = numbers[top : top + high, left : left + wide] == number
        box = (x + left, y + top, x + left + wide, y + top + high)
        yield Region(label, float(sums[number] / (255.0 * area)), area, box, mask)
