# SPDX-License-Identifier: Apache-2.0
"""An evaluation of the chosen scores: order, memory, and what it refuses."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import SearchStrategy, lists, sampled_from

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.types import VOID, Drivable
from panoptic_ros.data.annotation import Annotation, MapAnnotation
from panoptic_ros.data.formats import FORMATS
from panoptic_ros.data.label_files import LabelFile, Pair
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.evaluation.evaluate import (
    Comparison,
    Evaluation,
    EvaluationResult,
    evaluate,
)
from panoptic_ros.evaluation.prediction import EvalTask, Prediction, from_files
from panoptic_ros.evaluation.selection import METRICS, chosen

CATEGORIES = (Category(0, "road", False), Category(1, "car", True))
ROAD, CAR = 0, 1


def annotation(labels: list[int], ids: list[int], is_truth: bool = False) -> Annotation:
    image = LabelMap(np.array([labels], np.uint8), np.array([ids], np.uint16))
    return MapAnnotation(image, CATEGORIES, is_truth)


def file(name: str, labels: list[int], ids: list[int], is_truth: bool) -> LabelFile:
    return LabelFile(name, Path(f"{name}.png"), partial(annotation, labels, ids, is_truth))


def pair(number: int, predicted: list[int], sequence: str = "a") -> Pair:
    ids = [0, 0, 7, 7]
    return Pair(
        sequence,
        file(f"t{number}", [ROAD, ROAD, CAR, CAR], ids, is_truth=True),
        file(f"p{number}", predicted, ids, is_truth=False),
    )


def maps() -> SearchStrategy[list[int]]:
    """Labels of one row, some of them void."""
    return lists(sampled_from([ROAD, CAR, VOID]), min_size=6, max_size=6)


GOOD, BAD = [ROAD, ROAD, CAR, CAR], [ROAD, ROAD, ROAD, CAR]


def scored(
    pairs: list[Pair], metrics: tuple[str, ...] = METRICS[:2], workers: int = 0
) -> EvaluationResult:
    return evaluate(Evaluation(CATEGORIES, metrics, True), from_files(pairs), workers=workers)


def test_threads_change_nothing() -> None:
    pairs = [pair(number, BAD if number % 3 else GOOD) for number in range(20)]
    metrics = tuple(name for name in METRICS if name != "ece")
    one, many = (scored(pairs, metrics, workers) for workers in (1, 5))
    assert one.frames == many.frames
    assert one.sequences is not None
    assert many.sequences is not None
    assert one.sequences.tracking == many.sequences.tracking
    assert one.drivable is not None
    assert repr(one.drivable) == repr(many.drivable)


def test_the_watch_sees_every_image_in_order() -> None:
    pairs = [pair(number, GOOD) for number in range(9)]
    seen: list[Pair] = []

    def watch(comparison: Comparison) -> None:
        seen.append(comparison.pair)

    evaluate(Evaluation(CATEGORIES, ("pq",), False), from_files(pairs), watch, workers=3)
    assert seen == pairs


def test_few_images_are_in_memory_at_a_time() -> None:
    fetched: list[int] = []
    done: list[int] = []

    def fetch(number: int) -> Prediction:
        fetched.append(number)
        assert len(fetched) - len(done) <= 6
        return Prediction(annotation(GOOD, [0, 0, 7, 7]))

    tasks: list[EvalTask] = [(pair(number, GOOD), partial(fetch, number)) for number in range(40)]
    evaluate(Evaluation(CATEGORIES, ("pq",), False), tasks, lambda _: done.append(1), workers=2)
    assert len(done) == 40


def test_sizes_that_differ_name_the_file() -> None:
    with pytest.raises(DataError, match=r"p0\.png: is 3x1, its truth t0\.png is 4x1"):
        scored([Pair("", pair(0, GOOD).truth, file("p0", [0, 0, 0], [0, 0, 0], False))])


def test_a_surface_that_was_found_is_scored_instead_of_the_labels() -> None:
    nothing = np.zeros((1, 4), np.bool_)
    surface = Drivable(nothing, nothing.astype(np.uint8), np.zeros(4, np.int32))
    tasks: list[EvalTask] = [
        (pair(0, GOOD), partial(Prediction, annotation(GOOD, [0, 0, 7, 7]), None, surface))
    ]
    found = evaluate(Evaluation(CATEGORIES, ("drivable",), False), tasks)
    assert found.drivable is not None
    assert found.drivable.recall == 0.0


def test_a_thing_pixel_without_an_object_has_a_class_in_the_label_image_alone() -> None:
    lost = annotation(GOOD, [0, 0, 7, 0])
    tasks: list[EvalTask] = [(pair(0, GOOD), partial(Prediction, lost))]
    found = evaluate(Evaluation(CATEGORIES, ("miou", "label_miou"), False), tasks)
    assert found.pixels is not None
    assert found.pixels.label_map is not None
    assert found.pixels.label_map.classes == (1.0, 1.0)
    assert found.frames.semantic.classes == (1.0, 0.5)


@given(maps(), maps())
def test_where_every_thing_pixel_has_an_object_both_ious_of_classes_are_one(
    truth: list[int], predicted: list[int]
) -> None:
    ids = [7 if label == CAR else 0 for label in predicted]
    known = file("t", truth, [7 if label == CAR else 0 for label in truth], is_truth=True)
    pairs = [Pair("a", known, file("p", predicted, ids, is_truth=False))]
    found = scored(pairs, ("miou", "label_miou"))
    assert found.pixels is not None
    # As text, in which classes that never occur are equal.
    assert repr(found.pixels.label_map) == repr(found.frames.semantic)


def test_too_many_classes_leave_pq_and_miou() -> None:
    many = tuple(Category(number, f"class {number}", False) for number in range(300))
    assert Evaluation(many, ("pq", "miou"), False)
    with pytest.raises(DataError, match="has 300 classes; beyond 255 only pq and miou"):
        Evaluation(many, ("pq", "biou"), False)


@pytest.mark.parametrize(
    ("text", "format_name", "expected"),
    [
        pytest.param(None, "coco", ("pq", "miou"), id="default"),
        pytest.param(None, "kitti-mots", ("clear", "hota", "idf1"), id="default of a format"),
        pytest.param("STQ, pq,pq", "coco", ("pq", "stq"), id="in order, once"),
    ],
)
def test_metrics_are_chosen_by_name(
    text: str | None, format_name: str, expected: tuple[str, ...]
) -> None:
    assert chosen(text, FORMATS[format_name].metrics) == expected


def test_a_metric_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no metric 'pqq'"):
        chosen("pq,pqq", ("pq", "miou"))
