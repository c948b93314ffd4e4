# SPDX-License-Identifier: Apache-2.0
"""Class names of a checkpoint tell things, stuff and what can be driven on."""

from __future__ import annotations

import pytest

from panoptic_ros.core.classes.label_documents import SHIPPED
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.model.hub_labels import called_otherwise, guess_labels, shipped_label_sets

KNOWN = shipped_label_sets()


@pytest.mark.parametrize("number", range(len(SHIPPED)), ids=SHIPPED)
def test_names_of_a_known_set_are_that_set(number: int) -> None:
    expected = KNOWN[number]
    labels, unknown = guess_labels({entry.index: entry.name for entry in expected.labels}, KNOWN)
    assert unknown == ()
    assert labels.name == expected.name
    assert (labels.things == expected.things).all()
    assert (labels.drivable == expected.drivable).all()
    assert (labels.palette == expected.palette).all()


def test_spelling_and_order_do_not_matter() -> None:
    labels, unknown = guess_labels({0: "Traffic_Light", 1: "Road", 2: "tree-merged"}, KNOWN)
    assert unknown == ()
    assert [entry.name for entry in labels.labels] == ["Traffic_Light", "Road", "tree-merged"]
    assert [entry.is_drivable for entry in labels.labels] == [False, True, False]


def test_names_nobody_knows_are_stuff_and_reported() -> None:
    labels, unknown = guess_labels({0: "car", 1: "LABEL_1", 2: "gizmo"}, KNOWN)
    assert unknown == ("LABEL_1", "gizmo")
    assert labels.things[:3].tolist() == [True, False, False]
    assert not labels.drivable[:3].any()


def test_only_the_very_classes_of_a_known_set_have_its_name() -> None:
    names = {entry.index: entry.name for entry in KNOWN[0].labels}
    assert guess_labels({**names, 7: "hovercraft"}, KNOWN, "mine")[0].name == "mine"
    assert guess_labels({0: names[0]}, KNOWN)[0].name == "hub"


def test_classes_that_a_label_set_renames_are_listed() -> None:
    names = {entry.index: entry.name for entry in KNOWN[0].labels}
    assert called_otherwise({**names, 1: "Side-Walk", 2: "LABEL_2"}, KNOWN[0]) == [
        "1 'Side-Walk' becomes 'sidewalk'"
    ]
    assert called_otherwise(names, KNOWN[0]) == []


def test_a_name_that_occurs_twice_gets_its_number() -> None:
    labels, _ = guess_labels({0: "car", 1: "car"}, KNOWN)
    assert [entry.name for entry in labels.labels] == ["car", "car (1)"]


@pytest.mark.parametrize(
    "names",
    [{}, {0: "car", 2: "road"}, {index: str(index) for index in range(256)}],
    ids=["none", "gap", "too many"],
)
def test_classes_that_do_not_fit_into_a_byte_map_are_refused(names: dict[int, str]) -> None:
    with pytest.raises(ConfigError, match=r"1 to 255 that are numbered"):
        guess_labels(names, KNOWN)
