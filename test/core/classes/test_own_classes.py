# SPDX-License-Identifier: Apache-2.0
"""Classes of one's own: their own colours, what names say, and what is missing is listed."""

from __future__ import annotations

import pytest

from panoptic_ros.core.classes.label_documents import shipped_label_set
from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.classes.own_classes import (
    NO_COLOR,
    chosen_labels,
    drivable_warning,
    name_of_classes,
    own_label_set,
    thing_warning,
)
from panoptic_ros.core.errors import ConfigError

CITYSCAPES = shipped_label_set("cityscapes")
FARM = (("field", False, (10, 20, 30)), ("cow", True, (40, 50, 60)), ("barn", False, NO_COLOR))


def test_the_colours_of_the_data_are_kept_and_others_are_told_apart() -> None:
    field, cow, barn = own_label_set("farm", FARM).labels
    assert (field.color, cow.color) == ((10, 20, 30), (40, 50, 60))
    assert barn.color not in (NO_COLOR, field.color, cow.color)


def test_a_known_name_brings_what_the_shipped_set_says_of_it() -> None:
    road, car = own_label_set("mine", [("road", False, (1, 1, 1)), ("car", True, NO_COLOR)]).labels
    assert (road.is_drivable, road.is_flat, road.color) == (True, True, (1, 1, 1))
    assert (car.group, car.color, car.index) == ("vehicle", (0, 0, 142), 1)


def test_whether_a_class_is_a_thing_is_what_the_data_say() -> None:
    (car,) = own_label_set("mine", [("car", False, NO_COLOR)]).labels
    assert not car.is_thing


def test_only_all_classes_of_a_shipped_set_have_its_name() -> None:
    names = [label.name for label in CITYSCAPES.labels]
    assert name_of_classes(names[::-1], "mine") == "cityscapes"
    assert name_of_classes(names[1:], "mine") == "mine"
    assert name_of_classes([*names, "tram"], "mine") == "mine"


def test_a_chosen_set_describes_by_name_in_the_order_of_the_model() -> None:
    found = chosen_labels([("car", True), ("road", False)], CITYSCAPES)
    assert [(label.index, label.name) for label in found.labels] == [(0, "car"), (1, "road")]
    assert found.labels[1].is_drivable
    assert found.name == "cityscapes"


def test_a_chosen_set_that_lacks_classes_is_refused_with_their_names() -> None:
    words = "'cityscapes' lacks 2 of the model's 3 classes: cow, barn; add them"
    with pytest.raises(ConfigError, match=words):
        chosen_labels([("cow", True), ("road", False), ("barn", False)], CITYSCAPES)


def test_nothing_to_drive_on_is_said_with_the_way_out() -> None:
    warning = drivable_warning(own_label_set("farm", FARM))
    assert "none of the classes (field, cow, barn) is drivable" in warning
    assert "--labels FILE" in warning
    assert drivable_warning(CITYSCAPES) == ""


def test_a_drivable_thing_is_nothing_to_drive_on() -> None:
    labels = LabelSet("odd", (Label(0, "manhole", True, True, (1, 2, 3)),))
    assert "none of the classes (manhole)" in drivable_warning(labels)


def test_classes_that_a_label_set_counts_otherwise_than_the_data_are_named() -> None:
    classes = [("car", False), ("road", False), ("sky", True), ("cow", True)]
    words = thing_warning(classes, CITYSCAPES)
    assert words.startswith("cityscapes says otherwise of car, sky than the data set")
    assert thing_warning([("car", True), ("road", False)], CITYSCAPES) == ""
    assert [label.is_thing for label in chosen_labels(classes[:3], CITYSCAPES).labels] == [
        False,
        False,
        True,
    ]
