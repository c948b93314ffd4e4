# SPDX-License-Identifier: Apache-2.0
"""Sequences of label files: who is compared with whom, and what each score is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.coco_panoptic import Category
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.metrics.sequence_runner import (
    FramePair,
    SequenceReport,
    SequenceScore,
    evaluate_sequences,
    pair_frames,
)

CATEGORIES = (Category(0, "road", False), Category(1, "car", True))
ROAD, CAR, VOID = 0, 1, 255


def picture(labels: list[int], ids: list[int]) -> LabelMap:
    return LabelMap(np.array([labels], np.uint8), np.array([ids], np.uint16))


def score(*frames: tuple[LabelMap, LabelMap]) -> SequenceReport:
    metric = SequenceScore(CATEGORIES)
    for truth, predicted in frames:
        metric.update(truth, predicted, "drive")
    return metric.result()


def test_every_score_sees_every_frame() -> None:
    frame = picture([ROAD, CAR, CAR], [0, 4, 4])
    found = score((frame, frame), (frame, frame))
    assert found.frames.images == found.tracking.all.frames == 2
    assert found.frames.panoptic.all.pq == found.tracking.all.stq == found.video.all == 1.0
    assert found.objects["car"].clear.matched == 2


def test_an_object_on_crowd_or_void_is_no_false_alarm() -> None:
    truth = picture([ROAD, CAR, CAR, VOID, VOID], [0, 0, 0, 0, 0])
    predicted = picture([ROAD, CAR, CAR, CAR, CAR], [0, 3, 3, 8, 8])
    found = score((truth, predicted))
    assert found.objects["car"].clear.false_alarms == 0
    assert found.frames.panoptic.classes[1].false_alarms == 0


def test_an_object_on_another_class_is_one() -> None:
    found = score((picture([ROAD, ROAD], [0, 0]), picture([ROAD, CAR], [0, 3])))
    assert found.objects["car"].clear.false_alarms == 1
    assert found.frames.panoptic.classes[1].false_alarms == 1


def paths(*names: str) -> dict[str, Path]:
    return {name: Path(name) for name in names}


def test_frames_are_paired_by_sequence_and_name() -> None:
    truth = {"a": paths("0", "1"), "b": paths("0")}
    predicted = {"b": paths("0"), "c": paths("0"), "a": paths("0", "1", "2")}
    assert [(pair.sequence, pair.truth.name) for pair in pair_frames(truth, predicted)] == [
        ("a", "0"),
        ("a", "1"),
        ("b", "0"),
    ]


def test_one_sequence_may_have_two_names() -> None:
    pairs = pair_frames({"0002": paths("0")}, {"": paths("0")})
    assert pairs == [FramePair("0002", Path("0"), Path("0"))]


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        pytest.param({"a": paths("0"), "x": {}}, "sequence b: .* 1 of 1 pictures", id="sequence"),
        pytest.param({"a": {}, "b": paths("0")}, "sequence a: .* first is 0", id="frame"),
    ],
)
def test_missing_predictions_are_named(
    predicted: dict[str, dict[str, Path]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        pair_frames({"a": paths("0"), "b": paths("0")}, predicted)


def test_the_watch_sees_every_frame_in_order() -> None:
    frame = picture([ROAD], [0])
    pairs = [FramePair("a", Path(str(number)), Path("p")) for number in range(9)]
    seen: list[FramePair] = []
    evaluate_sequences(pairs, CATEGORIES, lambda _: frame, seen.append, workers=3)
    assert seen == pairs
