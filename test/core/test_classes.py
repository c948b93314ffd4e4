# SPDX-License-Identifier: Apache-2.0
"""What the shipped label sets say of their classes beyond names and colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.classes.label_documents import TRAITS, from_document, shipped_label_set
from panoptic_ros.core.classes.labels import UNNAMED
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
    labels = shipped_label_set(name)
    groups = labels.groups
    assert len({groups[labels.index(one)] for one in together}) == 1
    assert len({groups[labels.index(one)] for one in apart}) == len(apart)


def test_without_names_every_class_is_by_itself_and_anything_may_hide() -> None:
    assert len(np.unique(UNNAMED.groups)) == 256
    assert UNNAMED.hiding.all()


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
    labels = shipped_label_set(name)
    table = labels.hiding
    assert all(table[labels.index(one)] for one in hiding)
    assert not any(table[labels.index(one)] for one in flat)
    assert table[VOID]


@pytest.mark.parametrize(
    ("name", "vulnerable", "others"),
    [
        ("cityscapes", ("person", "rider", "bicycle", "motorcycle"), ("car", "pole", "road")),
        ("coco", ("person", "bicycle", "dog", "giraffe"), ("car", "bench", "road")),
        ("ade20k", ("person", "animal", "minibike, motorbike"), ("car", "box")),
        ("mapillary", ("Person", "Other Rider", "Ground Animal", "Bicycle"), ("Car", "Bench")),
    ],
)
def test_persons_animals_and_two_wheelers_are_vulnerable(
    name: str, vulnerable: tuple[str, ...], others: tuple[str, ...]
) -> None:
    labels = shipped_label_set(name)
    assert all(labels.vulnerable[labels.index(one)] for one in vulnerable)
    assert not any(labels.vulnerable[labels.index(one)] for one in others)
    assert not labels.vulnerable[VOID]


@pytest.mark.parametrize(
    ("name", "pavement"),
    [
        ("cityscapes", {"sidewalk"}),
        ("coco", {"pavement-merged"}),
        ("ade20k", {"sidewalk, pavement"}),
        ("mapillary", {"Sidewalk"}),
    ],
)
def test_the_pavement_is_known_in_every_shipped_set(name: str, pavement: set[str]) -> None:
    labels = shipped_label_set(name)
    marked = np.flatnonzero(labels.pavement).tolist()
    assert {labels.name_of(index) for index in marked} == pavement


def without_traits(name: str) -> dict[str, Any]:
    """Write a shipped set as models carried it before there were traits."""
    old = ("index", "name", "is_thing", "is_drivable", "color")
    entries = [
        {key: getattr(label, key) for key in old} for label in shipped_label_set(name).labels
    ]
    return {"name": name, "labels": entries}


@pytest.mark.parametrize("name", ["cityscapes", "coco", "ade20k", "mapillary"])
def test_a_model_exported_before_there_were_traits_has_them(name: str) -> None:
    assert from_document(without_traits(name)) == shipped_label_set(name)


def test_an_older_set_of_another_name_learns_traits_by_class_name() -> None:
    document = without_traits("cityscapes")
    found = from_document({**document, "name": "mine"})
    assert found.labels == shipped_label_set("cityscapes").labels


def test_what_a_file_says_of_a_class_wins_over_the_shipped_sets() -> None:
    entry = {"index": 0, "name": "Car", "is_thing": True, "color": [1, 2, 3]}
    said: dict[str, Any] = {"group": "toys", "is_flat": True, "is_vulnerable": True}
    (told,) = from_document({"name": "mine", "labels": [{**entry, **said}]}).labels
    assert {trait: getattr(told, trait) for trait in TRAITS} == {**said, "is_pavement": False}
    (left,) = from_document({"name": "mine", "labels": [entry]}).labels
    assert left.group == "vehicle"


def test_an_unknown_class_is_a_group_by_itself_that_hides() -> None:
    entries = [
        {"index": index, "name": name, "is_thing": True, "color": [1, 2, 3]}
        for index, name in enumerate(("gizmo", "widget"))
    ]
    labels = from_document({"name": "mine", "labels": entries})
    assert len(np.unique(labels.groups[:2])) == 2
    assert labels.hiding[:2].all()
    assert not labels.vulnerable.any()
