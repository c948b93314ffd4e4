# SPDX-License-Identifier: Apache-2.0
"""Label sets: the shipped ones are what their authors publish, a wrong one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.classes.label_documents import (
    from_document,
    from_json,
    read_label_set,
    to_json,
)
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.resources import resource

SHIPPED = ("cityscapes", "coco", "ade20k", "mapillary")


def shipped(name: str) -> LabelSet:
    return read_label_set(resource("config", "labels", f"{name}.yaml"))


def entry(index: Any = 0, name: str = "road", **changes: Any) -> dict[str, Any]:
    return {"index": index, "name": name, "is_thing": False, "color": [1, 2, 3], **changes}


def document(*entries: Any) -> dict[str, Any]:
    return {"name": "drawn", "labels": list(entries)}


@pytest.mark.parametrize(
    ("name", "classes", "things"),
    [("cityscapes", 19, 8), ("coco", 133, 80), ("ade20k", 150, 100), ("mapillary", 65, 37)],
)
def test_a_shipped_set_counts_as_its_authors_do(name: str, classes: int, things: int) -> None:
    labels = shipped(name)
    assert (labels.name, len(labels), int(labels.things.sum())) == (name, classes, things)


@pytest.mark.parametrize(
    ("name", "index", "label", "is_thing", "color"),
    [
        ("cityscapes", 0, "road", False, (128, 64, 128)),
        ("cityscapes", 10, "sky", False, (70, 130, 180)),
        ("cityscapes", 11, "person", True, (220, 20, 60)),
        ("cityscapes", 18, "bicycle", True, (119, 11, 32)),
        ("coco", 0, "person", True, (220, 20, 60)),
        ("coco", 79, "toothbrush", True, (191, 162, 208)),
        ("coco", 80, "banner", False, (255, 255, 128)),
        ("coco", 100, "road", False, (128, 64, 128)),
        ("coco", 132, "rug-merged", False, (250, 141, 255)),
        ("ade20k", 0, "wall", False, (120, 120, 120)),
        ("ade20k", 12, "person", True, (150, 5, 61)),
        ("ade20k", 20, "car", True, (0, 102, 200)),
        ("ade20k", 149, "flag", True, (92, 0, 255)),
        ("mapillary", 0, "Bird", True, (165, 42, 42)),
        ("mapillary", 13, "Road", False, (128, 64, 128)),
        ("mapillary", 55, "Car", True, (0, 0, 142)),
        ("mapillary", 64, "Ego Vehicle", False, (120, 10, 10)),
    ],
)
def test_a_shipped_class_stands_where_checkpoints_expect_it(
    name: str, index: int, label: str, is_thing: bool, color: tuple[int, int, int]
) -> None:
    found = shipped(name).labels[index]
    assert (found.index, found.name) == (index, label)
    assert (found.is_thing, found.color) == (is_thing, color)


@pytest.mark.parametrize(
    ("name", "drivable"),
    [
        ("cityscapes", {"road"}),
        ("coco", {"road"}),
        ("ade20k", {"road, route", "dirt track"}),
        (
            "mapillary",
            {
                "Road",
                "Service Lane",
                "Parking",
                "Crosswalk - Plain",
                "Lane Marking - General",
                "Lane Marking - Crosswalk",
                "Manhole",
                "Catch Basin",
            },
        ),
    ],
)
def test_one_can_drive_on_the_carriageway_only(name: str, drivable: set[str]) -> None:
    assert {label.name for label in shipped(name).labels if label.is_drivable} == drivable


@pytest.mark.parametrize("name", SHIPPED)
def test_names_have_no_stray_blanks_and_tables_end_in_void(name: str) -> None:
    labels = shipped(name)
    assert all(label.name == label.name.strip() != "" for label in labels.labels)
    assert labels.palette.shape == (256, 3)
    assert not labels.palette[255].any()
    assert not labels.things[len(labels) :].any()
    assert not labels.drivable[len(labels) :].any()


@pytest.mark.parametrize("name", SHIPPED)
def test_json_gives_back_the_same_set(name: str) -> None:
    assert from_json(to_json(shipped(name))) == shipped(name)


def test_flags_and_colors_are_looked_up_by_pixel_value() -> None:
    labels = from_document(
        document(entry(0), entry(1, "car", is_thing=True, color=[9, 8, 7], is_drivable=True))
    )
    pixels = np.array([0, 1, 255], np.uint8)
    assert labels.things[pixels].tolist() == [False, True, False]
    assert labels.drivable[pixels].tolist() == [False, True, False]
    assert labels.palette[pixels].tolist() == [[1, 2, 3], [9, 8, 7], [0, 0, 0]]


def test_a_class_is_found_by_name_or_the_names_are_listed() -> None:
    labels = from_document(document(entry(0), entry(1, "car")))
    assert labels.index("car") == 1
    with pytest.raises(ConfigError, match="no class 'lorry'; it has: road, car"):
        labels.index("lorry")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (document(entry(0), entry(2, "car")), "without a gap; found 0, 2"),
        (document(entry(1)), "without a gap; found 1"),
        (document(entry(0), entry(0, "car")), "without a gap; found 0, 0"),
        (document(entry(0), entry(1)), "found twice: road"),
        (document(), "has 0 classes, needs 1 to 255"),
        (document(*(entry(i, f"c{i}") for i in range(256))), "has 256 classes"),
        (document(entry(color=[1, 2])), r"color is \[1, 2\], needs \[red, green, blue\]"),
        (document(entry(color="red")), "color is 'red'"),
        (document(entry(color=[1, 2, 256])), r"needs numbers 0\.\.255"),
        (document(entry(color=[1, 2, -1])), r"needs numbers 0\.\.255"),
        (document(entry(color=[1, 2, 2.5])), r"needs numbers 0\.\.255"),
        (document(entry(index="0")), "index is '0', needs a number"),
        (document({"index": 0, "name": "road"}), "lacks color, is_thing"),
        (document("road"), "needs to be a mapping, found 'road'"),
        ({"name": "drawn"}, "needs the keys 'name' and 'labels'"),
        (["road"], "needs the keys 'name' and 'labels'"),
        ({"labels": [entry()]}, "no others; found labels"),
        ({**document(entry()), "colours": 1}, "no others; found name, labels, colours"),
        (
            document(entry(is_driveable=True)),
            "no key 'is_driveable'; the nearest is 'is_dri",
        ),
        (document(entry(is_drivable="no")), "is_drivable is 'no', needs true or false"),
        (document(entry(is_flat=1)), "is_flat is 1, needs true or false"),
        (document(entry(group=3)), "group is 3, needs a word"),
    ],
    ids=[
        "gap",
        "starts at 1",
        "index twice",
        "name twice",
        "empty",
        "too many",
        "two numbers",
        "word",
        "above 255",
        "below 0",
        "fraction",
        "index as text",
        "fields missing",
        "no mapping",
        "no labels",
        "a list",
        "no name",
        "unknown key",
        "unknown key of a class",
        "drivable in words",
        "flat as number",
        "group as number",
    ],
)
def test_a_wrong_set_is_named(wrong: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        from_document(wrong)


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "cannot be read"), ("labels: [", "is not YAML"), ("labels: 3", "needs the keys")],
    ids=["missing", "no YAML", "no list"],
)
def test_a_wrong_file_is_named_with_its_path(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=rf"mine\.yaml.*{words}"):
        read_label_set(path)


def test_json_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="is not JSON"):
        from_json("{")
