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


def regions_apart(
    classes: NDArray[np.uint8],
    unclaimed: NDArray[np.bool_],
    confidence: NDArray[np.uint8],
    least: int,
    surest: float,
) -> Iterator[Region]:
    """Find the sure regions of unclaimed pixels that touch no claimed pixel of their class.

    Args:
        classes: Class index of each pixel, (h, w).
        unclaimed: Which pixels of things belong to no object yet, (h, w).
        confidence: Probability times 255 of each pixel's class, (h, w).
        least: Fewest pixels of a region.
        surest: Its least score.
    """
    # Unclaimed are few pixels, most often in a small part of the map.
    x, y, width, height = cv2.boundingRect(unclaimed.view(np.uint8))
    part = (slice(y, y + height), slice(x, x + width))
    inside, here = classes[part], unclaimed[part]
    totals = np.bincount(inside[here], minlength=256)
    for label in np.flatnonzero(totals >= least).tolist():
        where = (inside == label) & here
        for region in regions_of(label, where, confidence[part], least, (x, y)):
            if region.score >= surest and _is_apart(region, classes, unclaimed):
                yield region


def _is_apart(region: Region, classes: NDArray[np.uint8], unclaimed: NDArray[np.bool_]) -> bool:
    """Whether no neighbour of a region's pixels is a claimed pixel of its class."""
    x0, y0, x1, y1 = region.box
    left, top = max(0, x0 - 1), max(0, y0 - 1)
    around = (slice(top, y1 + 1), slice(left, x1 + 1))
    claimed = (classes[around] == region.label) & ~unclaimed[around]
    near = np.asarray(cv2.dilate(claimed.view(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)
    return not near[y0 - top : y1 - top, x0 - left : x1 - left][region.mask].any()


def regions_of(
    label: int,
    where: NDArray[np.bool_],
    confidence: NDArray[np.uint8],
    least: int,
    origin: tuple[int, int] = (0, 0),
) -> Iterator[Region]:
    """Find the regions of a class that have at least ``least`` pixels.

    Args:
        label: Class index.
        where: Its pixels, (h, w).
        confidence: Probability times 255 of each pixel's class, (h, w).
        least: In pixels.
        origin: (x, y) of the map in a larger one, which the boxes are in.
    """
    everywhere = where.view(np.uint8)
    # Only the part of the map that has the class is looked at.
    x, y, width, height = cv2.boundingRect(everywhere)
    if not width:
        # Without a pixel, OpenCV's labelling of components is a segmentation fault.
        return
    part = (slice(y, y + height), slice(x, x + width))
    inside = everywhere[part].view(np.bool_)
    count, numbers, facts, _ = cv2.connectedComponentsWithStats(everywhere[part], connectivity=8)
    sums = np.bincount(numbers[inside], confidence[part][inside], minlength=count)
    large = np.flatnonzero(facts[1:, cv2.CC_STAT_AREA] >= least) + 1
    x, y = x + origin[0], y + origin[1]
    for number in large.tolist():
        left, top, wide, high, area = facts[number].tolist()
        mask = numbers[top : top + high, left : left + wide] == number
        box = (x + left, y + top, x + left + wide, y + top + high)
        yield Region(label, float(sums[number] / (255.0 * area)), area, box, mask)
