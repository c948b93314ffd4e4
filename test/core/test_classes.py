# SPDX-License-Identifier: Apache-2.0
"""Groups of classes, read from the names of the label sets that ship."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.classes import class_groups, hiding_classes
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.labels import read_label_set
from panoptic_ros.core.types import VOID


@pytest.mark.parametrize(
    ("name", "together", "apart"),
    [
        ("cityscapes", ("car", "truck", "bus", "train"), ("car", "person", "bicycle")),
        ("cityscapes", ("person", "rider"), ("rider", "motorcycle")),
        ("coco", ("car", "truck", "bus"), ("car", "dog", "person")),
        ("ade20k", ("car", "van", "bus", "truck"), ("bicycle", "person")),
        ("ade20k", ("bicycle", "minibike, motorbike"), ("bicycle", "car")),
        ("mapillary", ("Car", "Caravan", "Other Vehicle"), ("Car", "Person")),
        ("mapillary", ("Person", "Bicyclist", "Motorcyclist"), ("Bicyclist", "Bicycle")),
    ],
)
def test_classes_of_one_kind_are_one_group(
    name: str, together: tuple[str, ...], apart: tuple[str, ...]
) -> None:
    labels = read_label_set(resource("config", "labels", f"{name}.yaml"))
    groups = class_groups(labels)
    assert len({groups[labels.index(one)] for one in together}) == 1
    assert len({groups[labels.index(one)] for one in apart}) == len(apart)


def test_without_names_every_class_is_by_itself_and_anything_may_hide() -> None:
    assert len(np.unique(class_groups(None))) == 256
    assert hiding_classes(None).all()


@pytest.mark.parametrize(
    ("name", "hiding", "flat"),
    [
        ("cityscapes", ("pole", "car", "building"), ("road", "sidewalk", "sky", "terrain")),
        ("mapillary", ("Utility Pole", "Bus"), ("Road", "Sky", "Lane Marking - General")),
        ("coco", ("person", "tree-merged"), ("road", "sky-other-merged", "grass-merged")),
    ],
)
def test_poles_hide_what_is_behind_them_and_roads_do_not(
    name: str, hiding: tuple[str, ...], flat: tuple[str, ...]
) -> None:
    labels = read_label_set(resource("config", "labels", f"{name}.yaml"))
    table = hiding_classes(labels)
    assert all(table[labels.index(one)] for one in hiding)
    assert not any(table[labels.index(one)] for one in flat)
    assert table[VOID]
