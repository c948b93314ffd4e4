# SPDX-License-Identifier: Apache-2.0
"""Which true pixels are called drivable, one kind of ground at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from panoptic_ros.core.classes.label_documents import shipped_label_set
from panoptic_ros.metrics.drivable_shares import DrivableShare

LABELS = shipped_label_set("cityscapes")
NUMBER = {label.name: label.index for label in LABELS.labels} | {"?": 255}


def share(names: list[str], called: list[int]) -> DrivableShare:
    collected = DrivableShare(LABELS)
    labels = np.array([[NUMBER[name] for name in names]], np.uint8)
    collected.update(labels, np.array([called], np.bool_))
    return collected


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("pavement", ["sidewalk"] * 4),
        ("terrain", ["terrain"] * 4),
        ("objects", ["person", "car", "bicycle", "train"]),
        ("road_recall", ["road"] * 4),
    ],
)
def test_a_kind_is_counted_by_itself(kind: str, names: list[str]) -> None:
    found = share(names, [1, 0, 0, 0]).result()
    values = dict(vars(found))
    assert values.pop(kind) == 0.25
    together = values.pop("not_road")
    assert math.isnan(together) if kind == "road_recall" else together == 0.25
    assert all(math.isnan(value) for value in values.values())


def test_what_is_not_road_is_counted_together_pixel_by_pixel() -> None:
    names = ["sidewalk", "sidewalk", "terrain", "car", "car", "road", "building"]
    assert share(names, [1, 0, 1, 0, 0, 1, 1]).result().not_road == 2 / 5


def test_what_is_none_of_them_counts_nowhere() -> None:
    found = share(["building", "sky", "?", "vegetation"], [1, 1, 1, 1]).result()
    assert all(math.isnan(value) for value in vars(found).values())


def test_parts_add_up() -> None:
    one, other = share(["road"], [1]), share(["road"] * 3, [0, 0, 0])
    one.merge(other)
    assert one.result().road_recall == 0.25
    one.reset()
    assert math.isnan(one.result().road_recall)


def test_maps_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        DrivableShare(LABELS).update(np.zeros((1, 2), np.uint8), np.zeros((1, 3), np.bool_))


@pytest.mark.parametrize("name", ["cityscapes", "coco", "ade20k", "mapillary"])
def test_every_shipped_label_set_knows_terrain(name: str) -> None:
    assert any(label.group == "terrain" for label in shipped_label_set(name).labels)
