# SPDX-License-Identifier: Apache-2.0
"""The full file format of ADE20K, written here in its official encoding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.ade20k import read_labels, read_names, read_seg

VOID = 255
CATEGORIES = (Category(1, "wall", False), Category(21, "car", True))
WALL, CAR = 2978, 401


def write(
    folder: Path, pixels: list[tuple[int, int]], names: dict[int, str] | None = None
) -> Path:
    """Write pixels of (class, object) and their JSON."""
    rgb = [[(number // 256 * 10 + 3, number % 256, part) for number, part in pixels]]
    cv2.imwrite(str(folder / "a_seg.png"), np.array(rgb, np.uint8)[..., ::-1])
    listed = {WALL: "wall", CAR: "car"} if names is None else names
    objects = [
        {"id": place, "name": name, "name_ndx": number, "raw_name": "café"}
        for place, (number, name) in enumerate(listed.items())
    ]
    document = json.dumps({"annotation": {"object": objects}}, ensure_ascii=False)
    (folder / "a.json").write_text(document, encoding="latin-1")
    return folder / "a_seg.png"


def test_a_pixel_is_red_tenths_times_256_plus_green(tmp_path: Path) -> None:
    classes, objects = read_seg(write(tmp_path, [(WALL, 1), (CAR, 200), (0, 0)]))
    assert classes.tolist() == [[WALL, CAR, 0]]
    assert objects.tolist() == [[1, 200, 0]]


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    found = read_labels(write(tmp_path, [(WALL, 1), (CAR, 2), (CAR, 3), (0, 0)]), CATEGORIES)
    assert found.labels.tolist() == [[0, 1, 1, VOID]]
    assert found.ids.tolist() == [[0, 2, 3, 0]]


def test_a_class_of_another_name_is_void(tmp_path: Path) -> None:
    path = write(tmp_path, [(WALL, 1), (CAR, 2)], {WALL: "wall", CAR: "boat"})
    assert read_labels(path, CATEGORIES).labels.tolist() == [[0, VOID]]


def test_a_class_that_the_json_does_not_name_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [(WALL, 1), (CAR, 2)], {WALL: "wall"})
    with pytest.raises(DataError, match=r"a_seg\.png: has class 401, a\.json does not name it"):
        read_labels(path, CATEGORIES)


def test_a_missing_json_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, [(WALL, 1)])
    (tmp_path / "a.json").unlink()
    with pytest.raises(DataError, match=r"a\.json: cannot be read"):
        read_labels(path, CATEGORIES)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param({}, "has no list 'object'", id="no annotation"),
        pytest.param(
            {"annotation": {"object": [{"name": "x"}]}},
            r"annotation: object\[0\]: name_ndx is None",
            id="no number",
        ),
    ],
)
def test_a_wrong_json_is_named(tmp_path: Path, document: Any, message: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.json: .*" + message):
        read_names(tmp_path / "a.json")


def test_a_grey_image_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a_seg.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match="needs 8-bit RGB"):
        read_seg(tmp_path / "a_seg.png")
