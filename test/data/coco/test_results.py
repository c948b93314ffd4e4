# SPDX-License-Identifier: Apache-2.0
"""Results find their images and classes: by id, by name where ids fail, or they are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.formats import open_predictions, open_truth
from panoptic_ros.data.label_files import LabelFiles
from panoptic_ros.evaluation.predictor import label_predictor
from panoptic_ros.evaluation.score import score
from test.drawn.drawn_images import palette_png

CATEGORIES = [
    {"id": 7, "name": "road", "isthing": 0},
    {"id": 26, "name": "car", "isthing": 1},
]
MAPS = {
    "first": np.array([[1, 1, 2, 2]], np.uint32),
    "second": np.array([[1, 2, 2, 2]], np.uint32),
}


def write(
    folder: Path,
    ids: dict[str, Any],
    classes: tuple[int, int] = (7, 26),
    png_names: dict[str, str] | None = None,
    listed: dict[str, str] | None = None,
    categories: list[dict[str, Any]] | None = None,
) -> Path:
    """Write the two maps as COCO files.

    Args:
        folder: Where to.
        ids: Image id of each map.
        classes: Category ids of road and car.
        png_names: Of the PNG files without ending, those of the maps by default.
        listed: File names of the images, where they are listed.
        categories: Where they are listed.
    """
    folder.mkdir(parents=True)
    names = png_names or {name: name for name in ids}
    document: dict[str, Any] = {"annotations": []}
    for name, number in ids.items():
        png = folder / "pngs" / f"{names[name]}.png"
        png.parent.mkdir(parents=True, exist_ok=True)
        write_ids(png, MAPS[name])
        infos = [
            {"id": key, "category_id": classes[key - 1], "area": int((MAPS[name] == key).sum())}
            for key in (1, 2)
        ]
        annotation = {"image_id": number, "file_name": f"{names[name]}.png"}
        document["annotations"].append({**annotation, "segments_info": infos})
    if listed is not None:
        document["images"] = [
            {"id": ids[name], "file_name": file_name, "width": 4, "height": 1}
            for name, file_name in listed.items()
        ]
    if categories is not None:
        document["categories"] = categories
    path = folder / "labels.json"
    path.write_text(json.dumps(document))
    return path


def write_truth(
    folder: Path, ids: dict[str, Any], listed: dict[str, str] | None = None
) -> LabelFiles:
    names = listed or {name: f"{name}.jpg" for name in ids}
    path = write(folder, ids, listed=names, categories=CATEGORIES)
    return open_truth("coco", DataSetLocation(path, folder / "pngs"))


def found(truth: LabelFiles, path: Path) -> LabelFiles:
    return open_predictions("coco", DataSetLocation(path, path.parent / "pngs"), truth)


def pq(truth: LabelFiles, predictions: LabelFiles) -> float:
    return score(label_predictor(truth, predictions)).frames.panoptic.all.pq


NUMBERS = {"first": 1, "second": 2}
TEXTS = {"first": "aachen_1", "second": "ulm_2"}


@pytest.mark.parametrize("ids", [NUMBERS, TEXTS], ids=["numbers", "texts"])
def test_ids_say_which_image_it_is(tmp_path: Path, ids: dict[str, Any]) -> None:
    truth = write_truth(tmp_path / "truth", ids)
    results = found(truth, write(tmp_path / "results", ids))
    assert pq(truth, results) == 1.0
    assert results.remarks == ()


def test_ids_that_fit_count_whatever_the_files_are_called(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    names = {"first": "000", "second": "001"}
    results = found(truth, write(tmp_path / "results", NUMBERS, png_names=names))
    assert pq(truth, results) == 1.0
    assert results.remarks == ()


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param({"first": 501, "second": 502}, id="unknown numbers"),
        pytest.param({"first": "a", "second": "b"}, id="unknown texts"),
        pytest.param({"first": 2, "second": 1}, id="ids of the other image"),
        pytest.param({"first": 2, "second": 3}, id="one id of the other image"),
    ],
)
@pytest.mark.parametrize("kind", ["png", "listed"])
def test_names_count_where_ids_do_not_fit(tmp_path: Path, ids: dict[str, Any], kind: str) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    names = None if kind == "png" else {"first": "x0", "second": "x1"}
    listed = None if kind == "png" else {"first": "first.png", "second": "second.png"}
    results = found(truth, write(tmp_path / "results", ids, png_names=names, listed=listed))
    assert pq(truth, results) == 1.0
    assert results.remarks == ("Image ids of the predictions fit no image: matched by file name.",)


def test_without_common_id_or_name_one_of_each_is_shown(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    names = {"first": "x0", "second": "x1"}
    path = write(tmp_path / "results", {"first": "p", "second": "q"}, png_names=names)
    with pytest.raises(
        DataError, match=r"the truth has 1 \(first\), the predictions p \(x0\.png\)"
    ):
        found(truth, path)


def test_a_name_that_two_images_have_needs_ids(tmp_path: Path) -> None:
    listed = {"first": "a/0001.jpg", "second": "b/0001.jpg"}
    truth = write_truth(tmp_path / "truth", NUMBERS, listed)
    assert pq(truth, found(truth, write(tmp_path / "good", NUMBERS))) == 1.0
    path = write(tmp_path / "bad", {"first": 77}, png_names={"first": "0001"})
    with pytest.raises(DataError, match=r"0001\.png may be of .*first.* or of .*second"):
        found(truth, path)


def test_two_predictions_of_one_image_are_named(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    names = {"first": "a/first", "second": "b/first"}
    path = write(tmp_path / "results", {"first": 77, "second": 78}, png_names=names)
    with pytest.raises(DataError, match=r"a/first\.png and .*b/first\.png are both of the image"):
        found(truth, path)


@pytest.mark.parametrize(
    ("classes", "categories"),
    [
        pytest.param((26, 7), [(26, "road"), (7, "car")], id="ids of the other class"),
        pytest.param((0, 13), [(0, "road"), (13, "car")], id="unknown ids"),
    ],
)
def test_class_names_count_where_class_ids_mean_others(
    tmp_path: Path, classes: tuple[int, int], categories: list[tuple[int, str]]
) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    named = [{"id": number, "name": name} for number, name in categories]
    results = found(truth, write(tmp_path / "results", NUMBERS, classes=classes, categories=named))
    assert pq(truth, results) == 1.0
    assert results.remarks == (
        "Class ids of the predictions mean other classes: matched by class name.",
    )


def test_a_class_that_the_truth_lacks_is_void_where_names_count(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    named = [{"id": 0, "name": "road"}, {"id": 13, "name": "moon"}]
    path = write(tmp_path / "results", NUMBERS, classes=(0, 13), categories=named)
    result = score(label_predictor(truth, found(truth, path))).frames.panoptic
    assert (result.classes[7].tp, result.classes[26].fn, result.classes[26].fp) == (2, 2, 0)


def test_class_ids_count_where_results_name_more_classes(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    named = [*CATEGORIES, {"id": 99, "name": "moon"}]
    results = found(truth, write(tmp_path / "results", NUMBERS, categories=named))
    assert pq(truth, results) == 1.0
    assert results.remarks == ()


COLORS = np.array([[0, 0, 0], [200, 0, 0], [0, 200, 0]], np.uint8)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("rgba", id="opaque alpha"),
        pytest.param("palette colours", id="ids are colours of a palette"),
        pytest.param("palette indices", id="ids are indices of a palette"),
        pytest.param("grey", id="ids are grey values"),
        pytest.param("grey 16", id="ids are 16-bit grey values"),
    ],
)
def test_ids_of_another_kind_of_png_are_read_where_only_one_reading_fits(
    tmp_path: Path, content: str
) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    path = write(tmp_path / "results", NUMBERS)
    for name, ids in MAPS.items():
        small = ids.astype(np.uint8)
        png = path.parent / "pngs" / f"{name}.png"
        if content == "rgba":
            cv2.imwrite(str(png), np.dstack([0 * small, 0 * small, small, 0 * small + 255]))
        elif content == "palette colours":
            png.write_bytes(palette_png(small, np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]])))
        elif content == "palette indices":
            png.write_bytes(palette_png(small, COLORS))
        else:
            cv2.imwrite(str(png), small.astype(np.uint16 if "16" in content else np.uint8))
    assert pq(truth, found(truth, path)) == 1.0


def test_a_grey_image_without_listed_ids_is_refused(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "truth", NUMBERS)
    path = write(tmp_path / "results", NUMBERS)
    cv2.imwrite(str(path.parent / "pngs" / "first.png"), np.full((1, 4), 9, np.uint8))
    with pytest.raises(DataError, match=r"first\.png: is uint8 \(1, 4\), needs 8-bit RGB ids"):
        pq(truth, found(truth, path))
