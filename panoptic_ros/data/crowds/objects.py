# SPDX-License-Identifier: Apache-2.0
"""Which parts of a crowd are objects: by their shape, or because a network sees them.

The crowd's own mask is the truth about the class; what a network says only divides it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.types import Box, Panoptic, Segment
from panoptic_ros.data.crowds.pieces import LEAST_AREA, Piece, pieces_of
from panoptic_ros.data.crowds.shapes import ShapeRule

LEAST_SCORE = 0.5
"""Below it an object of the network is not sure."""

LEAST_SEEN_AREA = 150
"""Pixels of an object that a network sees in a crowd."""

_NOTICED = 0.1
"""Share of a piece from which on an object in it counts, be it sure or not."""

_FILLED = 0.9
"""Share of a piece from which on the only object in it is the piece."""

_INSIDE = 0.7
"""Share of an object's pixels that must lie in the piece; else the two are different things."""

Origin = Literal["shape", "network"]


@dataclass(frozen=True)
class CrowdRule:
    """How the crowds of a class are divided.

    Attributes:
        name: The class.
        label: Its index in the network's label set; None where that lacks it.
        shape: What one object looks like; None to ask the network alone.
        least_score: From which score on the network is sure.
    """

    name: str
    label: int | None
    shape: ShapeRule | None
    least_score: float = LEAST_SCORE


@dataclass(frozen=True, eq=False)
class SeenObjects:
    """What a network sees, at the size of the label image.

    Attributes:
        ids: Object of each pixel, 0 for none, (H, W).
        segments: The objects by id.
        areas: Pixels of each id, (largest id + 1,).
    """

    ids: NDArray[np.uint16]
    segments: Mapping[int, Segment]
    areas: NDArray[np.int64]

    @classmethod
    def of(cls, panoptic: Panoptic, size: tuple[int, int]) -> SeenObjects:
        """Bring a panoptic map to (height, width) of the label image."""
        ids = enlarge(panoptic.ids, size)
        segments = {segment.id: segment for segment in panoptic.segments}
        return cls(ids, segments, np.bincount(ids.ravel()))

    def noticed(self, piece: Piece) -> dict[int, int]:
        """Count the pixels of the objects that have a good part of a piece, by id."""
        x0, y0, x1, y1 = piece.box
        counts = np.bincount(self.ids[y0:y1, x0:x1][piece.mask])
        counts[:1] = 0
        least = max(LEAST_AREA, _NOTICED * int(piece.mask.sum()))
        return {number: int(counts[number]) for number in np.flatnonzero(counts >= least).tolist()}

    def is_sure(self, number: int, rule: CrowdRule) -> bool:
        """Whether an object is of the rule's class and the network sure of it."""
        segment = self.segments.get(number)
        return (
            segment is not None
            and segment.label == rule.label
            and segment.score >= rule.least_score
        )


@dataclass(frozen=True, eq=False)
class CrowdObject:
    """A part of a crowd that is an object.

    Attributes:
        box: Tight, half open, in pixels of the label image.
        mask: Its pixels within the box, (h, w) bool.
        origin: What it was found by.
    """

    box: Box
    mask: NDArray[np.bool_]
    origin: Origin


def objects_in(
    crowd: NDArray[np.bool_], rule: CrowdRule, seen: SeenObjects
) -> Iterator[CrowdObject]:
    """Find the objects of a crowd.

    A piece in which the network notices one object at most is one object if its shape fits the
    rule. Else it is one object if a sure one fills it, and otherwise the sure ones that lie in it
    are objects, as far as they lie in it.

    Args:
        crowd: Its pixels, (H, W).
        rule: Of its class.
        seen: What the network sees in the same image.

    Yields:
        Objects that do not overlap.
    """
    for piece in pieces_of(crowd):
        noticed = seen.noticed(piece)
        if len(noticed) <= 1 and rule.shape is not None and rule.shape.fits(piece):
            yield _cut(piece, piece.mask, "shape")
        elif len(noticed) == 1 and max(noticed.values()) >= _FILLED * int(piece.mask.sum()):
            least = LEAST_SEEN_AREA if rule.shape is None else rule.shape.area
            if piece.area >= least and seen.is_sure(next(iter(noticed)), rule):
                yield _cut(piece, piece.mask, "network")
        else:
            yield from _sure_parts(piece, noticed, rule, seen)


def _sure_parts(
    piece: Piece, noticed: Mapping[int, int], rule: CrowdRule, seen: SeenObjects
) -> Iterator[CrowdObject]:
    x0, y0, x1, y1 = piece.box
    for number, area in noticed.items():
        is_inside = area >= max(LEAST_SEEN_AREA, _INSIDE * int(seen.areas[number]))
        if is_inside and seen.is_sure(number, rule):
            yield _cut(piece, piece.mask & (seen.ids[y0:y1, x0:x1] == number), "network")


def _cut(piece: Piece, mask: NDArray[np.bool_], origin: Origin) -> CrowdObject:
    left, top, right, bottom = mask_box(mask)
    x0, y0 = piece.box[:2]
    box = (x0 + left, y0 + top, x0 + right, y0 + bottom)
    return CrowdObject(box, mask[top:bottom, left:right], origin)
