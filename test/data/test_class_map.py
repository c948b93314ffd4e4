# SPDX-License-Identifier: Apache-2.0
"""Classes under other names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.label_table import NameRules
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.data.class_map import ClassMapFile, LabelMapTable, read_class_map, renamed
from panoptic_ros.data.label_map import LabelMap

ROAD, MARKING, CAR, TRUCK = (
    Category(7, "Road", False),
    Category(9, "Lane Marking", False),
    Category(26, "Car", True),
    Category(27, "Truck", True),
)
CATEGORIES = (ROAD, MARKING, CAR, TRUCK)
VOID = 255


def image(labels: list[int], ids: list[int]) -> LabelMap:
    return LabelMap(np.array([labels], np.uint8), np.array([ids], np.uint16))


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        pytest.param({}, ["Road", "Lane Marking", "Car", "Truck"], id="all stay"),
        pytest.param({"Road": "road"}, ["road", "Lane Marking", "Car", "Truck"], id="one moves"),
        pytest.param({"Lane Marking": "Road"}, ["Road", "Car", "Truck"], id="two become one"),
        pytest.param({"Car": "car", "*": None}, ["car"], id="the others are ignored"),
        pytest.param({"Truck": "Car", "*": None}, ["Car"], id="a goal keeps its name"),
        pytest.param({"Car": "car", "*": "rest"}, ["rest", "car"], id="the others are one"),
    ],
)
def test_a_data_set_is_renamed(rules: NameRules, names: list[str]) -> None:
    assert [category.name for category in renamed(CATEGORIES, rules)] == names


def test_what_is_made_of_things_and_stuff_is_stuff() -> None:
    found = renamed(CATEGORIES, {"Truck": "Car", "Road": "ground", "Lane Marking": "ground"})
    assert {category.name: category.is_thing for category in found} == {
        "ground": False,
        "Car": True,
    }
    assert not renamed(CATEGORIES, {"*": "all"})[0].is_thing


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param({"Raod": "road"}, "renames 'Raod', which the data set does not", id="typo"),
        pytest.param({"*": None}, "leaves no class", id="nothing left"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(rules: NameRules, message: str) -> None:
    with pytest.raises(DataError, match=message):
        renamed(CATEGORIES, rules)


def test_maps_follow_the_names() -> None:
    wanted = (Category(0, "car", True), Category(1, "road", False))
    recode = LabelMapTable(["sky", "road", "person"], wanted, {"person": "car"})
    found = recode.apply(image([0, 1, 2, VOID], [9, 0, 5, 3]))
    assert found.labels.tolist() == [[VOID, 1, 0, VOID]]
    assert found.ids.tolist() == [[0, 0, 5, 0]]


def test_objects_of_merged_classes_stay_apart_and_keep_their_numbers_over_time() -> None:
    recode = LabelMapTable(["Car", "Truck"], (CAR,), {"Truck": "Car"})
    both = recode.apply(image([0, 1, 0, 1], [1, 1, 2, 0])).ids[0].tolist()
    assert len({*both[:3]}) == 3
    assert both[3] == 0
    assert recode.apply(image([1, 1], [1, 1])).ids.tolist() == [[both[1], both[1]]]


def test_numbers_too_large_to_be_kept_apart_are_refused() -> None:
    recode = LabelMapTable(["Car", "Truck"], (CAR,), {"Truck": "Car"})
    assert recode.apply(image([0], [32767])).ids.max() == 65534
    with pytest.raises(DataError, match="object number 32768 is too large to merge 2 classes"):
        recode.apply(image([0], [32768]))


def test_no_name_in_common_is_explained() -> None:
    with pytest.raises(DataError, match="sky on one side, Car on the other; name them with --map"):
        LabelMapTable(["sky"], (CAR,))


def test_a_file_of_rules_is_read(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text('truth: {Road: road, "*": null}\nprediction: {person: pedestrian}\n')
    assert read_class_map(path) == ClassMapFile(
        {"Road": "road", "*": None}, {"person": "pedestrian"}
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param("{", "is not YAML", id="no YAML"),
        pytest.param("[1]", "needs the keys", id="a list"),
        pytest.param("Road: road", "needs the keys", id="no parts"),
        pytest.param("truth: [Road]", "needs name: name", id="a part that is a list"),
        pytest.param("truth: {no: road}", "put names like 'no' in quotes", id="YAML's no"),
        pytest.param("truth: {Road: [road]}", "needs a name and a name or null", id="a list goal"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "map.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_class_map(path)
