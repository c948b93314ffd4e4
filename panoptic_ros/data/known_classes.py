# SPDX-License-Identifier: Apache-2.0
"""What data sets do not say about their classes, from the shipped label sets, by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from panoptic_ros.core.categories import Category
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.labels import MAX_CLASSES, Label, LabelSet, read_label_set

LABEL_SETS = ("cityscapes", "coco", "ade20k", "mapillary")


def label_set(categories: Sequence[Category], name: str = "data set") -> LabelSet:
    """Describe the classes of a data set: whether one can drive on them, and a colour each.

    Args:
        categories: The classes; classes behind the 255th are left out, as no label reaches them.
        name: Of the label set.

    Returns:
        Labels by position; a class that no shipped label set has is not drivable.
    """
    known = _known()
    labels = []
    for index, category in enumerate(categories[:MAX_CLASSES]):
        like = known.get(category.name)
        color = category.color
        if not any(color):
            color = like.color if like else _color(index)
        labels.append(
            Label(index, category.name, category.is_thing, bool(like and like.is_drivable), color)
        )
    return LabelSet(name, tuple(labels))


@lru_cache(maxsize=1)
def _known() -> dict[str, Label]:
    """Labels by name; where several sets have one, the first counts."""
    found: dict[str, Label] = {}
    for name in LABEL_SETS:
        for label in read_label_set(resource("config", "labels", f"{name}.yaml")).labels:
            found.setdefault(label.name, label)
    return found


def _color(index: int) -> tuple[int, int, int]:
    """Hues a golden angle apart, which neighbours in a list tell apart."""
    hue = np.array([[[index * 137.508 % 360.0 / 2.0, 170, 220]]], np.uint8)
    red, green, blue = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue
