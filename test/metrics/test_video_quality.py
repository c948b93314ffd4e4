# SPDX-License-Identifier: Apache-2.0
"""Video panoptic quality: drawn windows, and eval_vpq's scores of fixed noise."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from panoptic_ros.metrics.panoptic_quality import ClassQuality, PanopticQuality
from panoptic_ros.metrics.video_quality import VideoQuality, VideoQualityResult
from test.drawn.drawn_panoptic import CAR, CATEGORIES, PERSON, ROAD, SKY, Pair, ids, segments
from test.drawn.drawn_sequence import VOID, noisy_sequences


def pair(truth: str, predicted: str, crowd: tuple[int, ...] = ()) -> Pair:
    """Draw one frame of cars."""
    truth_ids, predicted_ids = ids(truth), ids(predicted)
    cars = [
        dict.fromkeys(np.unique(drawn[drawn > 0]).tolist(), CAR)
        for drawn in (truth_ids, predicted_ids)
    ]
    return Pair(
        truth_ids,
        segments(truth_ids, cars[0], crowd),
        predicted_ids,
        segments(predicted_ids, cars[1]),
    )


def add(metric: VideoQuality | PanopticQuality, frame: Pair, *sequence: str) -> None:
    metric.update(
        frame.truth_ids,
        frame.truth_segments,
        frame.predicted_ids,
        frame.predicted_segments,
        *sequence,
    )


def score(*frames: Pair) -> VideoQualityResult:
    metric = VideoQuality(CATEGORIES)
    for frame in frames:
        add(metric, frame)
    return metric.result()


def cars(result: VideoQualityResult) -> dict[int, ClassQuality]:
    return {length: window.classes[CAR] for length, window in result.windows.items()}


def test_objects_that_keep_their_ids_score_one_in_every_window() -> None:
    result = score(*[pair("1122", "3344")] * 4)
    assert result.all == result.things == 1.0
    assert math.isnan(result.stuff)


def test_a_window_slides_by_one_frame() -> None:
    found = cars(score(*[pair("11", "11")] * 4))
    assert {length: quality.tp for length, quality in found.items()} == {
        1: 4,
        2: 3,
        3: 2,
        4: 1,
    }


def test_an_id_switch_hurts_only_windows_that_see_it() -> None:
    found = cars(score(pair("11", "11"), pair("11", "22"), pair("11", "22")))
    assert found[1] == ClassQuality(3.0, 3, 0, 0)
    # Frames 1-2 hold two halves, neither above an IoU of one half; frames 2-3 are whole.
    assert found[2] == ClassQuality(1.0, 1, 2, 1)
    assert found[3] == ClassQuality(2 / 3, 1, 1, 0)


def test_crowd_is_decided_by_the_first_frame_of_the_window() -> None:
    crowd, single = pair("11", "11", crowd=(1,)), pair("11", "11")
    assert cars(score(crowd, single))[2] == ClassQuality()
    assert cars(score(single, crowd))[2] == ClassQuality(1.0, 1, 0, 0)


def test_a_window_of_one_frame_is_panoptic_quality() -> None:
    frames = list(noisy_pairs(1))
    plain = PanopticQuality(CATEGORIES)
    for _, frame in frames:
        add(plain, frame)
    assert score(*(frame for _, frame in frames)).windows[1] == plain.result()


def test_windows_do_not_reach_over_sequences() -> None:
    metric = VideoQuality(CATEGORIES, windows=(2,))
    for name in ("a", "a", "b", "b"):
        add(metric, pair("11", "11"), name)
    assert cars(metric.result())[2].tp == 2


def noisy_pairs(seed: int) -> Iterator[tuple[str, Pair]]:
    """The noisy sequences as COCO segments; class 3, id 0 is crowd."""
    classes = np.array([ROAD, SKY, CAR, PERSON])
    for step in noisy_sequences(seed, frames=8):
        maps, listed = [], []
        for labels, numbers in ((step.truth_labels, step.truth_ids), (step.labels, step.ids)):
            things = (labels == 2) | (labels == 3)
            drawn = np.where(
                labels == VOID, 0, (labels.astype(np.uint32) + 1) * 100 + things * numbers
            ).astype(np.uint32)
            present = np.unique(drawn[drawn > 0]).tolist()
            maps.append(drawn)
            listed.append(
                segments(
                    drawn,
                    {number: int(classes[number // 100 - 1]) for number in present},
                    crowd=(400,) if len(maps) == 1 else (),
                )
            )
        yield step.sequence, Pair(maps[0], listed[0], maps[1], listed[1])


REFERENCE = [
    (0, [0.554311321045, 0.594759794148, 0.597969756738, 0.595048960409]),
    (1, [0.507915914405, 0.546675552498, 0.603892191096, 0.636914136662]),
    (2, [0.489798687652, 0.489963968469, 0.504468552836, 0.518849658265]),
    (3, [0.590274081588, 0.61056104441, 0.595381396428, 0.614390877581]),
]
"""PQ of all classes in windows of 1 to 4 frames, computed with ``vpq_compute_single_core`` of
https://github.com/mcahny/vps at 138503edbc9e (not on PyPI), one sequence at a time."""


@pytest.mark.parametrize(("seed", "expected"), REFERENCE)
def test_equals_eval_vpq(seed: int, expected: list[float]) -> None:
    metric = VideoQuality(CATEGORIES)
    for sequence, frame in sorted(noisy_pairs(seed), key=lambda entry: entry[0]):
        add(metric, frame, sequence)
    found = metric.result()
    by_window = [window.all.pq for window in found.windows.values()]
    assert by_window == pytest.approx(expected, rel=0, abs=1e-9)
    assert found.all == pytest.approx(sum(expected) / 4)


def test_merged_sequences_equal_the_whole() -> None:
    whole, first, second = (VideoQuality(CATEGORIES) for _ in range(3))
    for sequence, frame in sorted(noisy_pairs(7), key=lambda entry: entry[0]):
        add(whole, frame, sequence)
        add(first if sequence == "a" else second, frame, sequence)
    first.merge(second)
    for length, window in whole.result().windows.items():
        merged = first.result().windows[length]
        assert merged.all.pq == pytest.approx(window.all.pq)
        assert merged.classes[CAR].tp == window.classes[CAR].tp


def test_reset_forgets_the_frames_of_an_open_window() -> None:
    metric = VideoQuality(CATEGORIES)
    add(metric, pair("11", "11"))
    metric.reset()
    add(metric, pair("11", "11"))
    assert cars(metric.result())[2] == ClassQuality()
