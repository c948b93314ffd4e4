# SPDX-License-Identifier: Apache-2.0
"""Segmentation and tracking quality: drawn sequences, and deeplab2's scores of fixed noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.metrics.tracking_quality import TrackingQuality, TrackingScore
from test.drawn.drawn_sequence import CLASS_COUNT, THINGS, noisy_sequences

ROAD, SKY, CAR, PERSON, VOID = 0, 1, 2, 3, 255
CLASS_OF = {"r": ROAD, "s": SKY, "c": CAR, "p": PERSON, ".": VOID}


def drawn(row: str) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Draw pixels as class letter and id digit, e.g. ``r0 c1 c1``."""
    pixels = row.split()
    labels = np.array([[CLASS_OF[pixel[0]] for pixel in pixels]], np.uint8)
    ids = np.array([[int(pixel[1]) for pixel in pixels]], np.uint16)
    return labels, ids


def score(*frames: tuple[str, str]) -> TrackingScore:
    """Score frames of (truth, prediction)."""
    metric = TrackingQuality(CLASS_COUNT, THINGS)
    for truth, predicted in frames:
        metric.update(*drawn(truth), *drawn(predicted))
    return metric.result().all


def test_equal_sequences_score_one() -> None:
    frame = ("r0 c1 c1 p1", "r0 c1 c1 p1")
    assert score(frame, frame) == TrackingScore(1.0, 1.0, 1.0, 2)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_there_may_be_any_number_of_classes(count: int) -> None:
    metric = TrackingQuality(count, (CAR,))
    metric.update(*drawn("r0 s0 c1"), *drawn("r0 s0 c1"))
    assert metric.result().all == TrackingScore(1.0, 1.0, 1.0, 1)


def test_which_number_an_object_has_does_not_matter() -> None:
    assert score(("c1 c1 c2", "c7 c7 c3"), ("c1 c2 c2", "c7 c3 c3")).aq == 1.0


@pytest.mark.parametrize(
    ("frames", "aq"),
    [
        pytest.param([("c1", "c1"), ("c1", "c2")], 0.5, id="an id switch halves the tube"),
        pytest.param(
            [("c1", "c1"), ("c1", "p1")], 0.5, id="a change of class ends the tube as well"
        ),
        pytest.param([("c1 r0", "c1 c1")], 0.5, id="a false pixel makes the tube larger"),
        pytest.param([("c1 .0", "c1 c1")], 0.5, id="even on void"),
        pytest.param([("c1 c0", "c1 c1")], 1.0, id="but not on crowd"),
        pytest.param([("c1 p0", "c1 c1")], 1.0, id="of any class"),
        pytest.param([("c1", "c0")], 1.0, id="an id of zero is an id in the prediction"),
        pytest.param([("c1", "r0")], 0.0, id="a missed object"),
        pytest.param(
            [("c1 c1 c1 c2", "c1 c1 c1 c1")], (3 * 3 / 4 / 3 + 1 / 4) / 2, id="two in one tube"
        ),
        pytest.param([("r0", "r0")], 0.0, id="no object at all"),
    ],
)
def test_association(frames: list[tuple[str, str]], aq: float) -> None:
    assert score(*frames).aq == pytest.approx(aq)


@pytest.mark.parametrize(
    ("frame", "sq"),
    [
        pytest.param(("r0 r0 s0 s0", "r0 r0 r0 s0"), (2 / 3 + 1 / 2) / 2, id="mean over classes"),
        pytest.param(("r0 .0", "r0 s0"), 1.0, id="void truth is ignored"),
        pytest.param(("r0 r0", "r0 .0"), (1 / 2 + 0) / 2, id="predicted void is a class"),
        pytest.param(("r0 c0", "r0 c4"), 1.0, id="crowd counts as its class"),
    ],
)
def test_segmentation(frame: tuple[str, str], sq: float) -> None:
    assert score(frame).sq == pytest.approx(sq)


def test_the_total_is_the_geometric_mean() -> None:
    found = score(("c1 r0", "c1 c1"))
    assert found.stq == pytest.approx(math.sqrt(0.5 * (1 / 2 + 0) / 2))


def test_sequences_are_followed_apart() -> None:
    metric = TrackingQuality(CLASS_COUNT, THINGS)
    for name, predicted in (("first", "c1"), ("second", "c2")):
        metric.update(*drawn("c1"), *drawn(predicted), name)
    result = metric.result()
    assert result.all.aq == 1.0
    assert {name: part.frames for name, part in result.sequences.items()} == {
        "first": 1,
        "second": 1,
    }


REFERENCE = [
    (0, 0.555971038, 0.555536985, 0.55640543, [0.610221884, 0.502631352]),
    (1, 0.534376884, 0.50400424, 0.566579864, [0.51146284, 0.557331408]),
    (2, 0.52504919, 0.547501524, 0.503517598, [0.540110954, 0.491867681]),
    (3, 0.537801535, 0.534071366, 0.541557757, [0.547227342, 0.527313018]),
]
"""STQ, AQ, IoU and the STQ of both sequences, computed with ``STQuality`` of
https://github.com/google-research/deeplab2 at 64bc1c1a6505 (not on PyPI), which adds up in
float32."""


@pytest.mark.parametrize(("seed", "stq", "aq", "sq", "by_sequence"), REFERENCE)
def test_equals_deeplab2(
    seed: int, stq: float, aq: float, sq: float, by_sequence: list[float]
) -> None:
    metric = TrackingQuality(CLASS_COUNT, THINGS)
    for step in noisy_sequences(seed):
        metric.update(step.truth_labels, step.truth_ids, step.labels, step.ids, step.sequence)
    result = metric.result()
    assert (result.all.stq, result.all.aq, result.all.sq) == pytest.approx(
        (stq, aq, sq), rel=0, abs=1e-6
    )
    assert [part.stq for part in result.sequences.values()] == pytest.approx(
        by_sequence, rel=0, abs=1e-6
    )


def test_merged_parts_equal_the_whole_even_within_a_sequence() -> None:
    whole, first, second = (TrackingQuality(CLASS_COUNT, THINGS) for _ in range(3))
    for number, step in enumerate(noisy_sequences(5)):
        frame = (step.truth_labels, step.truth_ids, step.labels, step.ids, step.sequence)
        whole.update(*frame)
        (first if number < 3 else second).update(*frame)
    first.merge(second)
    assert first.result() == whole.result()


def test_without_frames_nothing_is_a_number_but_association() -> None:
    found = TrackingQuality(CLASS_COUNT, THINGS).result().all
    assert (found.aq, found.frames) == (0.0, 0)
    assert math.isnan(found.stq)


def test_reset_forgets() -> None:
    metric = TrackingQuality(CLASS_COUNT, THINGS)
    metric.update(*drawn("c1"), *drawn("c1"))
    metric.reset()
    assert metric.result().all.frames == 0


def test_refuses_maps_of_different_shape() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        TrackingQuality(CLASS_COUNT, THINGS).update(*drawn("c1 c1"), *drawn("c1"))
