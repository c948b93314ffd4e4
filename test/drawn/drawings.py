# SPDX-License-Identifier: Apache-2.0
"""Maps drawn as strings: '1'..'9' objects, 'c' cars without id, 'r' road, 's' sky, '.' void."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.decoding.decode import bounding_boxes
from panoptic_ros.core.types import VOID, Panoptic, Segment

ROAD, SKY, CAR, PERSON = range(4)
LABELS = LabelSet(
    "drawn",
    (
        Label(ROAD, "road", False, True, (128, 64, 128), is_flat=True),
        Label(SKY, "sky", False, False, (70, 130, 180), is_flat=True),
        Label(CAR, "car", True, False, (0, 0, 142), "vehicle"),
        Label(PERSON, "person", True, False, (220, 20, 60), "person", is_vulnerable=True),
    ),
)
_WITHOUT_ID = {"r": ROAD, "s": SKY, ".": VOID, "c": CAR}


def scene(
    *rows: str,
    classes: Mapping[int, int] | None = None,
    scores: Mapping[int, float] | None = None,
    scale: int = 1,
) -> Panoptic:
    """Draw a map; objects are sure cars unless ``classes`` or ``scores`` say otherwise."""
    classes, scores = classes or {}, scores or {}
    lines = [line for row in rows for line in row.split()]
    symbols = np.array([list(line) for line in lines]).repeat(scale, 0).repeat(scale, 1)
    numbers = np.array([[int(c) if c.isdigit() else 0 for c in line] for line in symbols])
    present = sorted(set(numbers[numbers > 0].tolist()))
    ids = np.zeros(numbers.shape, np.uint16)
    labels = np.full(numbers.shape, VOID, np.uint8)
    for symbol, label in _WITHOUT_ID.items():
        labels[symbols == symbol] = label
    for index, number in enumerate(present, start=1):
        ids[numbers == number] = index
        labels[numbers == number] = classes.get(number, CAR)
    segments = tuple(
        Segment(
            index,
            classes.get(number, CAR),
            scores.get(number, 0.9),
            int((ids == index).sum()),
            box,
        )
        for index, (number, box) in enumerate(
            zip(present, bounding_boxes(ids, len(present)), strict=True), start=1
        )
    )
    return Panoptic(labels, ids, np.full(ids.shape, 230, np.uint8), segments)
