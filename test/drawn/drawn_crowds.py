# SPDX-License-Identifier: Apache-2.0
"""Crowds of rectangles, and what a network says it sees in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.types import Panoptic, Segment
from panoptic_ros.data.crowds.objects import CrowdRule, SeenObjects
from panoptic_ros.data.crowds.shapes import ShapeRule

SIZE = (60, 120)
CAR, PERSON = 2, 1
"""Class indices of the network."""

CAR_SHAPE = ShapeRule((0.5, 2.6), 0.85, 150)
CAR_RULE = CrowdRule("car", CAR, CAR_SHAPE)

Boxes = Sequence[tuple[int, int, int, int]]


@dataclass(frozen=True)
class Seen:
    """An object that the network sees: (x0, y0, x1, y1), half open."""

    box: tuple[int, int, int, int]
    label: int = CAR
    score: float = 0.9


def mask(*boxes: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Draw rectangles (x0, y0, x1, y1), half open."""
    drawn = np.zeros(SIZE, np.bool_)
    for x0, y0, x1, y1 in boxes:
        drawn[y0:y1, x0:x1] = True
    return drawn


def panoptic(*objects: Seen) -> Panoptic:
    """What a network says that sees these objects and nothing else; later ones lie above."""
    ids = np.zeros(SIZE, np.uint16)
    labels = np.zeros(SIZE, np.uint8)
    for number, one in enumerate(objects, start=1):
        drawn = mask(one.box)
        ids[drawn], labels[drawn] = number, one.label
    segments = tuple(
        Segment(number, one.label, one.score, int((ids == number).sum()), mask_box(ids == number))
        for number, one in enumerate(objects, start=1)
    )
    return Panoptic(labels, ids, np.full(SIZE, 200, np.uint8), segments)


def seen(*objects: Seen) -> SeenObjects:
    """The same at the size of the label image."""
    return SeenObjects.of(panoptic(*objects), SIZE)
