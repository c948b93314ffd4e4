# SPDX-License-Identifier: Apache-2.0
"""Scores of sequences: what each of them is told."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.data.annotation import MapAnnotation
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.evaluation.selection import TIME_METRICS
from panoptic_ros.evaluation.sequence_score import SequenceResult, SequenceScore

CATEGORIES = (Category(0, "road", False), Category(1, "car", True))
ROAD, CAR, VOID = 0, 1, 255


def image(labels: list[int], ids: list[int]) -> LabelMap:
    return LabelMap(np.array([labels], np.uint8), np.array([ids], np.uint16))


def score(
    *frames: tuple[LabelMap, LabelMap], metrics: tuple[str, ...] = TIME_METRICS
) -> SequenceResult:
    metric = SequenceScore(CATEGORIES, metrics)
    for truth, predicted in frames:
        metric.update(
            MapAnnotation(truth, CATEGORIES, is_truth=True),
            MapAnnotation(predicted, CATEGORIES, is_truth=False),
            "drive",
        )
    return metric.result()


def test_every_score_sees_every_frame() -> None:
    frame = image([ROAD, CAR, CAR], [0, 4, 4])
    found = score((frame, frame), (frame, frame))
    assert found.tracking is not None
    assert found.video is not None
    assert found.tracking.all.frames == 2
    assert found.tracking.all.stq == found.video.all == 1.0
    assert found.objects["car"].clear.tp == 2


def test_an_object_on_crowd_or_void_is_no_false_alarm() -> None:
    truth = image([ROAD, CAR, CAR, VOID, VOID], [0, 0, 0, 0, 0])
    predicted = image([ROAD, CAR, CAR, CAR, CAR], [0, 3, 3, 8, 8])
    assert score((truth, predicted)).objects["car"].clear.fp == 0


def test_an_object_on_another_class_is_one() -> None:
    found = score((image([ROAD, ROAD], [0, 0]), image([ROAD, CAR], [0, 3])))
    assert found.objects["car"].clear.fp == 1


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        pytest.param("stq", (True, False, False), id="stq"),
        pytest.param("vpq", (False, True, False), id="vpq"),
        pytest.param("clear", (False, False, True), id="clear"),
        pytest.param("hota", (False, False, True), id="hota"),
        pytest.param("idf1", (False, False, True), id="idf1"),
    ],
)
def test_only_what_is_wanted_is_computed(metric: str, found: tuple[bool, bool, bool]) -> None:
    frame = image([CAR], [1])
    result = score((frame, frame), metrics=(metric,))
    assert (result.tracking is not None, result.video is not None, bool(result.objects)) == found
