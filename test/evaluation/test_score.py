# SPDX-License-Identifier: Apache-2.0
"""Whole data sets: files of predictions, and an engine that reads drawn images."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.core.types import Heads
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.formats import open_predictions, open_truth
from panoptic_ros.data.label_files import LabelFiles
from panoptic_ros.evaluation.evaluate import Comparison, Evaluation, EvaluationResult
from panoptic_ros.evaluation.predictor import Predictor, engine_predictor, label_predictor
from panoptic_ros.evaluation.processes import FEWEST_IMAGES, evaluate_files
from panoptic_ros.evaluation.score import score
from test.drawn.drawn_panoptic import (
    CAR,
    CATEGORIES,
    ROAD,
    SKY,
    Pair,
    ids,
    segments,
    write_predictions,
    write_truth,
)

TRUTH = ids("3333", "3322", "1122", "1111")
CLASSES = {1: ROAD, 2: CAR, 3: SKY}
HALF = ids("3333", "33..", "11..", "1111")


def pair(predicted: NDArray[np.uint32] = TRUTH) -> Pair:
    present = {number: CLASSES[number] for number in CLASSES if (predicted == number).any()}
    return Pair(TRUTH, segments(TRUTH, CLASSES), predicted, segments(predicted, present))


def opened(folder: Path, images: list[Pair]) -> tuple[LabelFiles, LabelFiles]:
    json_path, label_images = write_truth(folder, images)
    truth = open_truth("coco", DataSetLocation(json_path, label_images, folder / "images"))
    place = DataSetLocation(*write_predictions(folder, images))
    return truth, open_predictions("coco", place, truth)


def data_set(folder: Path, images: list[Pair]) -> Predictor:
    return label_predictor(*opened(folder, images))


def test_perfect_label_files_score_one(tmp_path: Path) -> None:
    report = score(data_set(tmp_path, [pair(), pair()]))
    assert report.frames.images == 2
    assert report.frames.panoptic.all.pq == report.frames.semantic.miou == 1.0


def test_the_summary_is_in_percent(tmp_path: Path) -> None:
    summary = score(data_set(tmp_path, [pair(), pair(HALF)])).summary()
    # The car is found in one of two images; road and sky are perfect in both.
    assert summary["pq"] == pytest.approx(100 * (1 + 1 + 1 / 1.5) / 3)
    assert summary["pq_things"] == pytest.approx(100 / 1.5)
    assert summary["pq_stuff"] == pytest.approx(100)
    assert summary["miou"] == pytest.approx(100 * (1 + 1 + 0.5) / 3)


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    files = data_set(tmp_path, [pair(), pair(HALF)] * 8)
    categories = files.truth.categories
    one, many = (
        evaluate_files(categories, ("pq", "miou"), files.files, workers=workers)
        for workers in (1, 5)
    )
    assert one.summary() == many.summary()


def test_the_watch_sees_every_image_in_order_with_its_own_score(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []

    def watch(comparison: Comparison) -> None:
        things = comparison.score.result().panoptic.things
        seen.append((comparison.pair.truth.name, things.pq))

    score(data_set(tmp_path, [pair(), pair(HALF), pair()]), watch=watch)
    assert seen == [("0", 1.0), ("1", 0.0), ("2", 1.0)]


def test_a_missing_prediction_is_named(tmp_path: Path) -> None:
    truth, predictions = opened(tmp_path, [pair(), pair()])
    found = {key: file for key, file in predictions.sequences[""].items() if key != "1"}
    with pytest.raises(DataError, match=r"no prediction for 1 of 2 images, the first is 1"):
        label_predictor(truth, LabelFiles(predictions.categories, {"": found}))


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        pytest.param(ids("33", "11"), r"0.png: is 2x2, its truth 0.png is 4x4", id="size"),
        pytest.param(ids("3333", "3322", "1122", "1119"), "0.png: .*not listed: 9", id="segment"),
    ],
)
def test_a_wrong_image_is_named(tmp_path: Path, spoiled: NDArray[np.uint32], message: str) -> None:
    files = data_set(tmp_path, [pair()])
    write_ids(tmp_path / "predicted" / "0.png", spoiled)
    with pytest.raises(DataError, match=message):
        score(files)


def test_truth_of_another_size_than_the_json_says_is_named(tmp_path: Path) -> None:
    files = data_set(tmp_path, [pair()])
    write_ids(tmp_path / "truth" / "0.png", ids("33", "11"))
    with pytest.raises(DataError, match=r"truth/0\.png: is 2x2, the JSON says 4x4"):
        score(files)


@pytest.mark.parametrize("is_watched", [False, True])
def test_truth_with_segments_that_its_json_lacks_is_a_remark(
    tmp_path: Path, is_watched: bool
) -> None:
    """Not refused: panopticapi scores it, and so the scores are comparable."""
    drawn = pair()
    lacking = replace(drawn, truth_segments=drawn.truth_segments[::2])
    files = data_set(tmp_path, [drawn, lacking, lacking])
    found = score(files, watch=(lambda _: None) if is_watched else None)
    (remark,) = files.remarks
    assert remark.startswith(
        "the truth of 2 images has segments that its JSON does not list, the first is "
        f"{tmp_path}/truth/1.png: 2; as in panopticapi"
    )
    # The car is found once, and twice it is a false alarm; the other scores leave it out.
    assert found.frames.panoptic.things.pq == 1 / (1 + 0.5 * 2)
    assert found.frames.semantic.miou == 1.0


def test_processes_tell_together_what_the_json_lacks(tmp_path: Path) -> None:
    drawn = pair()
    lacking = replace(drawn, truth_segments=drawn.truth_segments[::2])
    files = data_set(tmp_path, [drawn, lacking])
    many = [*files.files] * (FEWEST_IMAGES // 2)
    (remark,) = evaluate_files(files.truth.categories, ("pq",), many, workers=2).remarks
    assert remark.startswith(f"the truth of {FEWEST_IMAGES // 2} images has segments")


@pytest.mark.parametrize("is_watched", [False, True])
def test_classes_that_are_never_predicted_are_a_remark(tmp_path: Path, is_watched: bool) -> None:
    drawn = ids("3333", "33..", "33..", "....")
    files = data_set(tmp_path, [pair(drawn), pair(drawn)])
    score(files, watch=(lambda _: None) if is_watched else None)
    (remark,) = files.remarks
    assert remark.startswith("The predictions have nothing of 2 classes of the data set, which")
    assert "missed: road, car; where only names differ, use --map" in remark


def test_truth_that_its_json_lists_is_no_remark(tmp_path: Path) -> None:
    files = data_set(tmp_path, [pair(), pair(HALF)])
    score(files)
    assert files.remarks == []


class ColorReader:
    """Reads the class out of the red channel, and a centre out of the green one."""

    def __init__(self, labels: LabelSet) -> None:
        self.spec = ModelSpec("color", 4, 4, "center_offset", labels)
        self.description = "reads colours"
        self.input = np.zeros((4, 4, 3), np.uint8)

    def infer(self, image: NDArray[np.uint8]) -> Heads:
        size = image.shape[:2]
        center = np.array(np.unravel_index(image[..., 1].argmax(), size))
        return CenterOffsetHeads(
            labels=image[..., 0].copy(),
            confidence=np.full(size, 255, np.uint8),
            centers=image[..., 1].copy(),
            offsets=(center[:, None, None] - np.indices(size)).astype(np.float32),
        )

    def close(self) -> None:
        """Nothing to free."""


def labels(*names: str) -> LabelSet:
    return LabelSet(
        "drawn",
        tuple(Label(i, name, name == "car", False, (0, 0, 0)) for i, name in enumerate(names)),
    )


def evaluate_drawn(tmp_path: Path, *names: str) -> EvaluationResult:
    """Draw an image whose red channel is the model's class index, and score the reader."""
    (tmp_path / "images").mkdir()
    written = write_truth(tmp_path, [pair()])
    index = {CLASSES[number]: number for number in CLASSES}
    by_name = {category.name: index.get(category.id, 0) for category in CATEGORIES}
    red = np.zeros(TRUTH.shape, np.uint8)
    for position, name in enumerate(names):
        red[by_name.get(name, -1) == TRUTH] = position
    green = np.zeros(TRUTH.shape, np.uint8)
    green[1, 2] = 255
    image = np.dstack([np.zeros_like(red), green, red])
    # A PNG named .jpg: the reader goes by content, and colours must survive.
    (tmp_path / "images" / "0.jpg").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    truth = open_truth("coco", DataSetLocation(*written, tmp_path / "images"))
    return score(engine_predictor(ColorReader(labels(*names)), truth))


def test_classes_of_a_model_are_matched_by_name(tmp_path: Path) -> None:
    report = evaluate_drawn(tmp_path, "sky", "car", "road")
    assert report.frames.panoptic.all.pq == 1.0
    assert report.frames.semantic.miou == 1.0


def test_a_class_that_the_model_lacks_is_missed(tmp_path: Path) -> None:
    report = evaluate_drawn(tmp_path, "road", "car")
    assert report.frames.panoptic.classes[SKY].fn == 1
    assert report.frames.panoptic.classes[CAR].tp == 1


def test_a_class_that_the_truth_lacks_is_void(tmp_path: Path) -> None:
    report = evaluate_drawn(tmp_path, "tree", "car", "road", "sky")
    assert report.frames.panoptic.all.pq == 1.0


def test_a_thing_of_the_model_that_is_stuff_in_the_truth_is_one_segment(tmp_path: Path) -> None:
    stuff = json.loads(write_truth(tmp_path, [pair()])[0].read_text())
    for category in stuff["categories"]:
        category["isthing"] = 0
    path = tmp_path / "stuff.json"
    path.write_text(json.dumps(stuff), encoding="utf-8")
    red = np.array([0, 2, 1, 0], np.uint8)[TRUTH]
    # No centre at all: as a thing the car would be void.
    image = np.dstack([np.zeros_like(red), np.zeros_like(red), red])
    (tmp_path / "0.jpg").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    truth = open_truth("coco", DataSetLocation(path, tmp_path / "truth", tmp_path))
    report = score(engine_predictor(ColorReader(labels("sky", "car", "road")), truth))
    assert report.frames.panoptic.classes[CAR].iou == 1.0


def test_no_common_class_is_an_error() -> None:
    truth = LabelFiles(CATEGORIES, {"": {}})
    with pytest.raises(
        DataError, match=r"in common: cat on one side, road, sky, person, car on the other;"
    ):
        engine_predictor(ColorReader(labels("cat")), truth)


def test_scores_of_an_empty_data_set_are_not_numbers() -> None:
    report = Evaluation(CATEGORIES, ("pq", "miou"), is_video=False).result()
    assert report.frames.images == 0
    assert all(math.isnan(value) for value in report.summary().values())
