# SPDX-License-Identifier: Apache-2.0
"""What data sets do not say about their classes, from the shipped label sets, by name."""

from __future__ import annotations

from collections.abc import Sequence

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.classes.own_classes import own_label_set


def label_set(categories: Sequence[Category], name: str = "data set") -> LabelSet:
    """Describe the classes of a data set: whether one can drive on them, and a colour each.

    Args:
        categories: The classes; classes behind the 255th are left out, as no label reaches them.
        name: Of the label set.

    Returns:
        Labels by position; a class that no shipped label set has is not drivable.
    """
    return own_label_set(name, ((one.name, one.is_thing, one.color) for one in categories))
