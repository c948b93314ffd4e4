# SPDX-License-Identifier: Apache-2.0
"""An engine's answers: who is tracked, under which classes, and at which size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.config import DrivableConfig, PipelineConfig, TrackConfig
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import CAR, DrawnStreet
from panoptic_ros.data.annotation import Annotation
from panoptic_ros.data.kitti_step import CATEGORIES
from panoptic_ros.data.label_files import LabelFile, Pair
from panoptic_ros.evaluation.engine_predictor import EnginePredictor
from panoptic_ros.evaluation.prediction import Prediction

SIZE = (640, 320)


def never() -> Annotation:
    raise AssertionError("answers do not depend on the truth")


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    """The same three frames as two sequences."""
    street = DrawnStreet(size=SIZE, fps=10, seconds=0.3, seed=3)
    found = []
    for sequence in "ab":
        for number, (frame, _) in enumerate(street):
            path = tmp_path / f"{sequence}{number}.png"
            cv2.imwrite(str(path), np.ascontiguousarray(frame.image[..., ::-1]))
            found.append(Pair(sequence, LabelFile(path.stem, path, never, path)))
    return found


def predictions(
    pairs: list[Pair],
    fps: float | None,
    categories: tuple[Category, ...] = CATEGORIES,
    config: PipelineConfig | None = None,
) -> list[Prediction]:
    run = EnginePredictor(DrawnEngine(), categories, {"person": "pedestrian"}, config, fps)
    return [fetch() for _, fetch in run.tasks(pairs)]


def car_ids(prediction: Prediction) -> set[int]:
    image = prediction.annotation.map
    return set(np.unique(image.ids[image.labels == CAR]).tolist()) - {0}


def test_every_sequence_has_a_tracker_of_its_own(pairs: list[Pair]) -> None:
    ids = [car_ids(prediction) for prediction in predictions(pairs, fps=10.0)]
    assert ids[:3] == ids[3:]
    assert len(ids[0] & ids[1] & ids[2]) >= 3


def test_ids_do_not_depend_on_the_sequence_before(pairs: list[Pair]) -> None:
    for pair in pairs[3:]:
        path = str(pair.truth.image)
        cv2.imwrite(path, np.ascontiguousarray(cv2.imread(path)[:, ::-1]))
    alone, after = predictions(pairs[3:], 10.0), predictions(pairs, 10.0)[3:]
    ids = [[one.annotation.map.ids for one in found] for found in (alone, after)]
    assert np.array_equal(*ids)


def test_single_images_are_not_tracked(pairs: list[Pair]) -> None:
    first, second = predictions([pairs[1], pairs[2]], fps=None), predictions([pairs[2]], fps=None)
    assert car_ids(first[1]) == car_ids(second[0])


def surface(prediction: Prediction) -> NDArray[np.uint8]:
    assert prediction.drivable is not None
    return prediction.drivable.confidence


def test_nothing_of_a_single_image_is_remembered_in_the_next(pairs: list[Pair]) -> None:
    first, last = pairs[0], pairs[2]
    lasting = PipelineConfig(drivable=DrivableConfig(memory_s=10.0))
    alone, after, in_turn = (
        predictions(chosen, fps, config=lasting)[-1]
        for chosen, fps in (([last], None), ([first, last], None), ([first, last], 10.0))
    )
    assert np.array_equal(surface(after), surface(alone))
    # In a sequence the surface of the frame before counts as well.
    assert not np.array_equal(surface(in_turn), surface(alone))


def test_objects_too_weak_to_start_a_track_are_found_in_single_images(pairs: list[Pair]) -> None:
    nobody_starts = PipelineConfig(tracking=TrackConfig(birth_score=1.0))
    tracked, single = (
        car_ids(predictions(pairs[:1], fps, config=nobody_starts)[0]) for fps in (10.0, None)
    )
    assert not tracked
    assert single == car_ids(predictions(pairs[:1], None)[0])


def test_the_rate_is_that_of_the_sequence(pairs: list[Pair]) -> None:
    gaps = PipelineConfig(tracking=TrackConfig(reset_gap_s=0.5))
    slow, quick = (
        [car_ids(one) for one in predictions(pairs[:2], fps, config=gaps)] for fps in (1.0, 10.0)
    )
    assert not slow[0] & slow[1]
    assert quick[0] & quick[1]


def test_an_answer_has_the_size_of_its_image(pairs: list[Pair]) -> None:
    (prediction,) = predictions(pairs[:1], fps=None)
    assert prediction.confidence is not None
    assert prediction.drivable is not None
    sizes = {
        prediction.annotation.shape,
        prediction.confidence.shape,
        prediction.drivable.mask.shape,
    }
    assert sizes == {SIZE[::-1]}


def test_classes_are_matched_by_name_and_rule(pairs: list[Pair]) -> None:
    categories = (Category(1, "pedestrian", True), Category(2, "sky", False))
    (prediction,) = predictions(pairs[:1], None, categories)
    labels = prediction.annotation.map.labels
    assert set(np.unique(labels).tolist()) == {0, 1, 255}
    assert labels[0, SIZE[0] // 2] == 1


@pytest.mark.parametrize(
    ("missing", "remark"),
    [
        ((), None),
        (("lane",), "The model lacks 1 class of the data set, which count as missed: lane;"),
        (
            tuple("abcdef"),
            "The model lacks 6 classes of the data set, which count as missed: a,",
        ),
    ],
    ids=["none", "one", "many"],
)
def test_classes_that_the_model_lacks_are_named(
    pairs: list[Pair], missing: tuple[str, ...], remark: str | None
) -> None:
    categories = tuple(Category(n, name, False) for n, name in enumerate(("sky", *missing), 1))
    run = EnginePredictor(DrawnEngine(), categories)
    assert len(list(run.tasks(pairs[:1]))) == 1
    starts = [found[: len(remark or "")] for found in run.remarks]
    assert starts == ([remark] if remark else [])


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "absent.png"
    with pytest.raises(DataError, match=r"absent\.png: no such file"):
        predictions([Pair("", LabelFile("absent", path, never, path))], fps=None)
