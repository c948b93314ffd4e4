# SPDX-License-Identifier: Apache-2.0
"""LabelTable files: the shipped ones fit the shipped label sets, a wrong one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.classes.label_table import LabelTable
from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.classes.remap import (
    find_remap,
    read_remap,
    remap_from_document,
    usual_remaps,
)
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.resources import resource

SETS = ("cityscapes", "coco", "ade20k", "mapillary")
FILES = sorted(path.stem for path in resource("config", "remap").glob("*.yaml"))
LABELS = LabelSet(
    "farm",
    (
        Label(0, "field", False, True, (1, 1, 1)),
        Label(1, "barn", False, False, (2, 2, 2)),
        Label(2, "cow", True, False, (3, 3, 3)),
    ),
)


def document(**changes: Any) -> dict[str, Any]:
    rules: dict[str, Any] = {
        "name": "robot",
        "classes": {"other": 9, "free": 0, "blocked": 200},
        "default": "other",
        "label_sets": {"farm": {"free": ["field"], "blocked": ["cow"]}},
    }
    return {**rules, **changes}


def shipped(name: str, labels: str) -> tuple[LabelTable, LabelSet]:
    label_set = read_label_set(resource("config", "labels", f"{labels}.yaml"))
    return read_remap(find_remap(name)).fit(label_set), label_set


def target(remap: LabelTable, labels: LabelSet, name: str) -> str:
    value = int(remap.values[labels.index(name)])
    return next(entry.name for entry in remap.classes if entry.value == value)


def test_values_go_where_the_file_says_and_the_rest_to_the_default() -> None:
    remap = remap_from_document(document()).fit(LABELS)
    labels = np.array([[0, 1, 2], [255, 3, 0]], np.uint8)
    assert remap.apply(labels).tolist() == [[0, 9, 200], [9, 9, 0]]
    assert [entry.name for entry in remap.classes] == ["other", "free", "blocked"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("labels", SETS)
def test_every_shipped_file_fits_every_shipped_label_set(name: str, labels: str) -> None:
    remap, label_set = shipped(name, labels)
    unused = remap.values[len(label_set) :]
    assert set(remap.values.tolist()) <= {entry.value for entry in remap.classes}
    assert set(unused.tolist()) == {unused[-1]}
    assert len(set(remap.values[: len(label_set)].tolist())) > 1


def test_autoware_gets_its_classes_in_its_own_order() -> None:
    remap, _ = shipped("autoware", "cityscapes")
    assert [entry.value for entry in remap.classes] == list(range(16))
    assert " ".join(entry.name for entry in remap.classes) == (
        "UNKNOWN BUILDING WALL OBSTACLE TRAFFIC_LIGHT TRAFFIC_SIGN PERSON VEHICLE BIKE ROAD "
        "SIDEWALK ROAD_PAINT CURBSTONE CROSSWALK VEGETATION SKY"
    )


SAME = {
    "road": ("autoware", "ROAD", ("road", "road", "road, route", "Road")),
    "pavement": (
        "autoware",
        "SIDEWALK",
        ("sidewalk", "pavement-merged", "sidewalk, pavement", "Sidewalk"),
    ),
    "person": ("autoware", "PERSON", ("person", "person", "person", "Person")),
    "car": ("autoware_objects", "CAR", ("car", "car", "car", "Car")),
    "walker": ("autoware_objects", "PEDESTRIAN", ("person", "person", "person", "Person")),
    "moving": ("nvblox", "dynamic", ("truck", "truck", "truck", "Truck")),
    "people": ("nvblox_people", "people", ("person", "person", "person", "Person")),
    "parked": ("nvblox_people", "static", ("car", "car", "car", "Car")),
    "free": ("nav2", "road", ("road", "road", "road, route", "Road")),
}


@pytest.mark.parametrize("case", SAME)
def test_a_thing_means_the_same_in_every_label_set(case: str) -> None:
    name, expected, words = SAME[case]
    for labels, word in zip(SETS, words, strict=True):
        assert target(*shipped(name, labels), word) == expected


@pytest.mark.parametrize("labels", SETS)
def test_nothing_that_is_no_ground_passes_for_ground(labels: str) -> None:
    for name, ground in (("nav2", {"road", "walkway"}), ("autoware", {"ROAD", "SIDEWALK"})):
        remap, label_set = shipped(name, labels)
        for label in label_set.labels:
            # Mapillary's crossings and covers are things that lie in the road's plane.
            if label.is_thing and not label.is_drivable:
                assert target(remap, label_set, label.name) not in ground


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "consumer's class": ({"label_sets": {"farm": {"fre": ["field"]}}}, "nearest is 'free'"),
    "default": ({"default": "othr"}, "nearest is 'other'"),
    "twice": (
        {"label_sets": {"farm": {"free": ["cow"], "blocked": ["cow"]}}},
        "'cow' is given to free and to blocked",
    ),
    "value": ({"classes": {"other": 256}}, "needs a whole number 0..255"),
    "flag as value": ({"classes": {"other": True}}, "needs a whole number 0..255"),
    "no classes": ({"classes": {}}, "needs names with values"),
    "no sections": ({"label_sets": {}}, "needs a section per label set"),
    "no list": ({"label_sets": {"farm": {"free": "field"}}}, "needs a list"),
    "section": ({"label_sets": {"farm": ["field"]}}, "needs lists of classes"),
    "unknown key": ({"labels": 1}, "needs the keys name, classes, default, label_sets"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    changes, words = WRONG[case]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(document(**changes), sort_keys=False), encoding="utf-8")
    with pytest.raises(ConfigError, match=words) as caught:
        read_remap(path)
    assert str(path) in str(caught.value)


def test_a_class_that_the_model_lacks_is_named_with_its_nearest() -> None:
    rules = remap_from_document(document(label_sets={"farm": {"free": ["feild"]}}))
    with pytest.raises(ConfigError, match=r"farm has no class 'feild'; the nearest is 'field'"):
        rules.fit(LABELS)


def test_a_class_that_the_model_lacks_is_looked_for_in_the_file_itself(tmp_path: Path) -> None:
    """A copy of a shipped file still has that one's name in it."""
    path = tmp_path / "mine.yaml"
    changed = document(label_sets={"farm": {"free": ["feild"]}})
    path.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    with pytest.raises(ConfigError, match="has no class 'feild'") as caught:
        read_remap(path).fit(LABELS)
    assert str(path) in str(caught.value)


def test_why_a_file_does_not_fit_is_told_apart() -> None:
    """A section that there is must not be called missing."""
    assert remap_from_document(document()).misfit(LABELS) == ""
    other = remap_from_document(document(label_sets={"town": {"free": ["street"]}}))
    assert other.misfit(LABELS) == "says nothing about label set 'farm', only about 'town'"


@pytest.mark.parametrize(
    ("misspelt", "told"),
    [("Feild", "the nearest is 'field'"), ("moat", "there are: ")],
)
def test_a_file_that_names_a_class_which_the_model_lacks_is_told_the_nearest(
    misspelt: str, told: str
) -> None:
    lacking = remap_from_document(document(label_sets={"farm": {"free": ["field", misspelt]}}))
    lacks = f"names {misspelt!r}, which this model's label set 'farm' lacks; {told}"
    assert lacking.misfit(LABELS).startswith(lacks)


def test_a_label_set_without_a_section_is_named_with_those_that_have_one() -> None:
    rules = remap_from_document(document(label_sets={"town": {"free": ["street"]}}))
    assert not rules.knows(LABELS)
    with pytest.raises(ConfigError, match=r"nothing about label set 'farm', only about town"):
        rules.fit(LABELS)


def test_a_name_means_a_shipped_file_and_a_path_itself(tmp_path: Path) -> None:
    assert find_remap("autoware") == resource("config", "remap", "autoware.yaml")
    assert find_remap(str(tmp_path / "mine")) == tmp_path / "mine"
    with pytest.raises(ConfigError, match="the nearest is 'autoware'"):
        find_remap("autowar")
    with pytest.raises(ConfigError, match="no file 'costmap'; there are: autoware, autoware_obj"):
        find_remap("costmap")


def test_the_usual_remaps_are_those_that_know_the_label_set() -> None:
    assert usual_remaps(LABELS) == {}
    shipped_set = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    names = {topic: remap.name for topic, remap in usual_remaps(shipped_set).items()}
    assert names == {
        "remapped/label": "nav2",
        "autoware_mask": "autoware",
        "autoware_rois": "autoware_objects",
        "dynamic_mask": "nvblox",
    }


BROKEN = {
    "missing": (None, "cannot be read"),
    "not text": (b"\xff\xfe\x00", "is not YAML"),
    "not YAML": (b"a: [", "is not YAML"),
    "a list": (b"- 1", "needs the keys"),
    "nothing": (b"# later\n", "the file is empty, needs the keys name, classes"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_none_is_refused(case: str, tmp_path: Path) -> None:
    content, words = BROKEN[case]
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_remap(path)


def test_a_label_set_that_lacks_one_class_of_a_usual_remap_leaves_it_out() -> None:
    whole = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    usual = usual_remaps(whole)
    named = set(read_remap(find_remap("nvblox")).label_sets["cityscapes"])
    lacking = sorted(named)[0]
    kept = [label for label in whole.labels if label.name != lacking]
    labels = tuple(replace(label, index=index) for index, label in enumerate(kept))
    found = usual_remaps(LabelSet("cityscapes", labels))
    assert "dynamic_mask" in usual
    assert "dynamic_mask" not in found
