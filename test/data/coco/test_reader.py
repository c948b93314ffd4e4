# SPDX-License-Identifier: Apache-2.0
"""COCO panoptic files: what is read, and what is refused by name and place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.classes.categories import Category, SegmentInfo
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.coco.ids import read_ids, write_ids
from panoptic_ros.data.coco.reader import CocoPanoptic, read_coco_panoptic, read_coco_predictions
from panoptic_ros.data.images import read_image

DOCUMENT: dict[str, Any] = {
    "categories": [
        {"id": 26, "name": "car", "isthing": 1, "color": [0, 0, 142]},
        {"id": 7, "name": "road", "isthing": 0},
    ],
    "images": [
        {"id": 9, "file_name": "b.jpg", "width": 4, "height": 2, "source": "drawn"},
        {"id": 3, "file_name": "a.jpg", "width": 4, "height": 2},
        {"id": 5, "file_name": "unlabelled.jpg", "width": 4, "height": 2},
    ],
    "annotations": [
        {
            "image_id": 9,
            "file_name": "b.png",
            "segments_info": [
                {"id": 26001, "category_id": 26, "area": 5, "iscrowd": 1},
                {"id": 7, "category_id": 7, "area": 3},
            ],
        },
        {"image_id": 3, "file_name": "a.png", "segments_info": []},
    ],
}


def read(folder: Path, document: Any) -> CocoPanoptic:
    path = folder / "truth.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_coco_panoptic(path, folder / "panoptic", folder / "images")


def test_reads_categories_and_records_in_order_of_their_ids(tmp_path: Path) -> None:
    data = read(tmp_path, DOCUMENT)
    assert data.categories == (
        Category(7, "road", False, (0, 0, 0)),
        Category(26, "car", True, (0, 0, 142)),
    )
    assert [record.id for record in data.records] == [3, 9]


def test_reads_the_segments_in_the_order_of_the_file(tmp_path: Path) -> None:
    record = read(tmp_path, DOCUMENT).records[1]
    assert record.segments == (SegmentInfo(26001, 26, 5, True), SegmentInfo(7, 7, 3, False))
    assert record.panoptic == tmp_path / "panoptic" / "b.png"
    assert record.image == tmp_path / "images" / "b.jpg"
    assert (record.width, record.height, record.source) == (4, 2, "drawn")


def test_images_may_have_names_for_ids_as_in_cityscapes(tmp_path: Path) -> None:
    document = with_value(("images", 0, "id"), "aachen_000000_000019")
    document["annotations"][0]["image_id"] = "aachen_000000_000019"
    assert [record.id for record in read(tmp_path, document).records] == [
        3,
        "aachen_000000_000019",
    ]


def with_value(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


FIRST = ("annotations", 0, "segments_info", 0)
SECOND = ("annotations", 0, "segments_info", 1)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        pytest.param(("categories",), None, "has no list 'categories'", id="no categories"),
        pytest.param(("categories",), [], "categories: is empty", id="empty categories"),
        pytest.param(
            ("categories", 1, "id"), 26, "categories: id 26 occurs twice", id="category twice"
        ),
        pytest.param(
            ("categories", 0, "name"),
            "road",
            "categories: names must differ; found twice: road",
            id="category name twice",
        ),
        pytest.param(
            ("categories", 0, "isthing"), None, r"categories\[0\]: isthing is None", id="isthing"
        ),
        pytest.param(
            ("categories", 0, "color"), [1, 2], r"categories\[0\]: color is \[1, 2\]", id="color"
        ),
        pytest.param(
            ("images", 0, "width"), 0, r"images\[0\]: width is 0, needs at least 1", id="width"
        ),
        pytest.param(
            ("images", 1, "file_name"), "", r"images\[1\]: file_name is ''", id="file name"
        ),
        pytest.param(
            ("images", 1, "file_name"),
            "b.jpg",
            r"images: file_name 'b.jpg' occurs 2 times",
            id="file name twice",
        ),
        pytest.param(
            ("images", 1, "id"), 9, r"images\[1\]: id 9 occurs twice", id="image id twice"
        ),
        pytest.param(
            ("annotations", 1, "image_id"),
            77,
            r"annotations\[1\]: image 77 is not among the images",
            id="unknown image",
        ),
        pytest.param(
            ("annotations", 1, "image_id"),
            9,
            r"annotations\[1\]: image 9 has two annotations",
            id="image annotated twice",
        ),
        pytest.param(
            (*FIRST, "category_id"),
            1,
            r"annotations\[0\]: category 1 is not among the categories",
            id="unknown category",
        ),
        pytest.param((*FIRST, "id"), 7, r"segments_info\[1\]: id 7 occurs twice", id="id twice"),
        pytest.param((*FIRST, "id"), 0, r"id is 0, needs 1 to 16777215", id="id is void"),
        pytest.param((*FIRST, "id"), 1 << 24, "needs 1 to 16777215", id="id beyond 24 bits"),
        pytest.param((*FIRST, "area"), "5", r"segments_info\[0\]: area is '5'", id="area"),
        pytest.param((*FIRST, "area"), float("nan"), "area is nan", id="area is no number"),
        pytest.param((*FIRST, "area"), None, r"segments_info\[0\]: area is None", id="no area"),
        pytest.param(
            (*SECOND, "iscrowd"), None, r"segments_info\[1\]: iscrowd is None", id="crowd"
        ),
        pytest.param((*SECOND, "id"), -7, r"segments_info\[1\]: id is -7", id="id below void"),
        pytest.param(
            FIRST, 5, r"annotations\[0\]: segments_info\[0\] is 5, needs a mapping", id="segment"
        ),
    ],
)
def test_refuses(tmp_path: Path, path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(DataError, match=r"truth\.json: .*" + message):
        read(tmp_path, with_value(path, value))


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", 7.0), ("category_id", 7.0), ("area", 3.0), ("iscrowd", False), ("iscrowd", 0.0)],
)
def test_whole_numbers_may_be_written_otherwise(tmp_path: Path, field: str, value: Any) -> None:
    segments = read(tmp_path, with_value((*SECOND, field), value)).records[1].segments
    assert [tuple(map(type, segment)) for segment in segments] == [(int, int, int, bool)] * 2
    assert segments == read(tmp_path, DOCUMENT).records[1].segments


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_refuses_json_of_another_shape(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="has no list 'categories'"):
        read(tmp_path, json.loads(content))


def test_refuses_what_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"images": [', encoding="utf-8")
    with pytest.raises(DataError, match=r"truth\.json: is not JSON"):
        read_coco_panoptic(tmp_path / "truth.json", tmp_path, tmp_path)


def test_refuses_what_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"truth\.json: is not JSON"):
        read_coco_panoptic(tmp_path / "truth.json", tmp_path, tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.json: cannot be read \(No such file"):
        read_coco_panoptic(tmp_path / "absent.json", tmp_path, tmp_path)


def test_results_need_neither_areas_nor_categories(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    segment = {"id": 4, "category_id": 7}
    annotation = {"image_id": 3, "file_name": "a.png", "segments_info": [segment]}
    path.write_text(json.dumps({"annotations": [annotation]}), encoding="utf-8")
    prediction = read_coco_predictions(path, tmp_path)[3]
    assert prediction.panoptic == tmp_path / "a.png"
    assert prediction.segments == (SegmentInfo(4, 7, 0, False),)


def test_results_with_an_image_twice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    annotation = {"image_id": 3, "file_name": "a.png", "segments_info": []}
    path.write_text(json.dumps({"annotations": [annotation] * 2}), encoding="utf-8")
    with pytest.raises(DataError, match=r"annotations\[1\]: image 3 has two annotations"):
        read_coco_predictions(path, tmp_path)


def test_ids_survive_an_image(tmp_path: Path) -> None:
    ids = np.array([[0, 1, 255], [256, 65536, 2**24 - 1]], np.uint32)
    write_ids(tmp_path / "ids.png", ids)
    assert read_ids(tmp_path / "ids.png").tolist() == ids.tolist()


def test_the_image_is_encoded_as_coco_says(tmp_path: Path) -> None:
    write_ids(tmp_path / "ids.png", np.array([[1 + 2 * 256 + 3 * 65536]], np.uint32))
    blue, green, red = cv2.imread(str(tmp_path / "ids.png"), cv2.IMREAD_UNCHANGED)[0, 0]
    assert (red, green, blue) == (1, 2, 3)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((2, 2), np.uint8), id="grey"),
        pytest.param(np.zeros((2, 2, 3), np.uint16), id="16 bit"),
    ],
)
def test_an_image_of_another_kind_is_refused(tmp_path: Path, image: Any) -> None:
    cv2.imwrite(str(tmp_path / "ids.png"), image)
    with pytest.raises(DataError, match=r"ids\.png: is uint.*needs 8-bit RGB"):
        read_ids(tmp_path / "ids.png")


@pytest.mark.parametrize("reader", [read_ids, read_image])
def test_a_damaged_image_is_refused(tmp_path: Path, reader: Any) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(DataError, match=r"x\.png: is not an image, or damaged"):
        reader(tmp_path / "x.png")


def test_images_are_read_as_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.array([[[1, 2, 3]]], np.uint8))
    assert read_image(tmp_path / "x.png").tolist() == [[[3, 2, 1]]]
