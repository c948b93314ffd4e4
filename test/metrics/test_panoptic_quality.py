# SPDX-License-Identifier: Apache-2.0
"""The rules of panoptic quality, one drawn map each."""

from __future__ import annotations

import math

import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.metrics.panoptic_quality import ClassQuality, PanopticQuality
from test.drawn.drawn_panoptic import (
    CAR,
    CATEGORIES,
    FAR_APART,
    PERSON,
    ROAD,
    SKY,
    Pair,
    ids,
    noisy_pairs,
    segments,
)


def drawn(
    truth: tuple[str, ...],
    predicted: tuple[str, ...],
    truth_classes: dict[int, int],
    predicted_classes: dict[int, int],
    crowd: tuple[int, ...] = (),
    areas: dict[int, int] | None = None,
) -> Pair:
    truth_ids, predicted_ids = ids(*truth), ids(*predicted)
    return Pair(
        truth_ids,
        segments(truth_ids, truth_classes, crowd, areas),
        predicted_ids,
        segments(predicted_ids, predicted_classes),
    )


def add(quality: PanopticQuality, pair: Pair) -> PanopticQuality:
    quality.update(
        pair.truth_ids, pair.truth_segments, pair.predicted_ids, pair.predicted_segments
    )
    return quality


def classes(pair: Pair) -> dict[int, ClassQuality]:
    """The classes that occur."""
    result = add(PanopticQuality(CATEGORIES), pair).result()
    return {number: quality for number, quality in result.classes.items() if quality.occurs}


CASES = [
    pytest.param(
        drawn(("1122",), ("1122",), {1: CAR, 2: ROAD}, {1: CAR, 2: ROAD}),
        {CAR: ClassQuality(1.0, 1, 0, 0), ROAD: ClassQuality(1.0, 1, 0, 0)},
        id="equal maps",
    ),
    pytest.param(
        drawn(("1122",), ("7733",), {1: CAR, 2: ROAD}, {7: CAR, 3: ROAD}),
        {CAR: ClassQuality(1.0, 1, 0, 0), ROAD: ClassQuality(1.0, 1, 0, 0)},
        id="ids need not agree",
    ),
    pytest.param(
        drawn(("1111",), ("1111",), {1: CAR}, {1: PERSON}),
        {CAR: ClassQuality(0.0, 0, 0, 1), PERSON: ClassQuality(0.0, 0, 1, 0)},
        id="another class is a miss and a false alarm",
    ),
    pytest.param(
        drawn(("1111", "2222"), ("1122", "2222"), {1: CAR, 2: ROAD}, {1: CAR, 2: ROAD}),
        {CAR: ClassQuality(0.0, 0, 1, 1), ROAD: ClassQuality(4 / 6, 1, 0, 0)},
        id="an IoU of one half is no match",
    ),
    pytest.param(
        drawn(("111.....",), ("11111111",), {1: CAR}, {1: CAR}),
        {CAR: ClassQuality(1.0, 1, 0, 0)},
        id="void leaves the union",
    ),
    pytest.param(
        drawn(("...1",), ("2223",), {1: ROAD}, {2: CAR, 3: ROAD}),
        {ROAD: ClassQuality(1.0, 1, 0, 0)},
        id="a prediction on void is no mistake",
    ),
    pytest.param(
        drawn(("..11",), ("2222",), {1: ROAD}, {2: CAR}),
        {ROAD: ClassQuality(0.0, 0, 0, 1), CAR: ClassQuality(0.0, 0, 1, 0)},
        id="a prediction half on void is one",
    ),
    pytest.param(
        drawn(("1112",), ("3334",), {1: CAR, 2: ROAD}, {3: CAR, 4: ROAD}, crowd=(1,)),
        {ROAD: ClassQuality(1.0, 1, 0, 0)},
        id="crowd is neither found nor missed",
    ),
    pytest.param(
        drawn(("1112",), ("3334",), {1: CAR, 2: ROAD}, {3: PERSON, 4: ROAD}, crowd=(1,)),
        {ROAD: ClassQuality(1.0, 1, 0, 0), PERSON: ClassQuality(0.0, 0, 1, 0)},
        id="crowd excuses its own class only",
    ),
    pytest.param(
        drawn(("1112",), ("3333",), {1: CAR, 2: CAR}, {3: CAR}, crowd=(1, 2)),
        {CAR: ClassQuality(0.0, 0, 1, 0)},
        id="of two crowds only the last one counts",
    ),
    pytest.param(
        drawn(("1112",), ("3333",), {2: CAR, 1: CAR}, {3: CAR}, crowd=(1, 2)),
        {},
        id="and last is by the order of the list",
    ),
    pytest.param(
        drawn(("11",), ("11",), {1: CAR}, {1: CAR}, areas={1: 3}),
        {CAR: ClassQuality(2 / 3, 1, 0, 0)},
        id="the area of the truth is believed",
    ),
    pytest.param(
        drawn(("1199",), ("1111",), {1: CAR}, {1: CAR}),
        {CAR: ClassQuality(0.0, 0, 1, 1)},
        id="unlisted truth is not void",
    ),
    pytest.param(
        drawn(("1111",), ("....",), {1: SKY}, {}),
        {SKY: ClassQuality(0.0, 0, 0, 1)},
        id="predicting nothing misses",
    ),
    pytest.param(drawn(("....",), ("....",), {}, {}), {}, id="nothing at all"),
]


@pytest.mark.parametrize(("pair", "expected"), CASES)
def test_counts(pair: Pair, expected: dict[int, ClassQuality]) -> None:
    assert classes(pair) == expected


def test_quality_is_the_product_of_segmentation_and_recognition() -> None:
    quality = ClassQuality(iou=1.5, tp=2, fp=1, fn=3)
    assert (quality.pq, quality.sq, quality.rq) == (1.5 / 4, 0.75, 0.5)


def test_means_are_taken_over_the_classes_that_occur() -> None:
    pair = drawn(("1222",), ("1333",), {1: CAR, 2: ROAD}, {1: CAR, 3: SKY})
    result = add(PanopticQuality(CATEGORIES), pair).result()
    assert (result.all.pq, result.all.classes) == (1 / 3, 3)
    assert (result.things.pq, result.things.classes) == (1.0, 1)
    assert (result.stuff.pq, result.stuff.classes) == (0.0, 2)


def test_without_any_class_the_mean_is_not_a_number() -> None:
    mean = PanopticQuality(CATEGORIES).result().all
    assert mean.classes == 0
    assert math.isnan(mean.pq)


def test_merged_parts_equal_the_whole() -> None:
    pairs = [case.values[0] for case in CASES]
    whole, first, second = (PanopticQuality(CATEGORIES) for _ in range(3))
    for number, pair in enumerate(pairs):
        add(whole, pair)
        add(first if number % 2 else second, pair)
    first.merge(second)
    assert first.result() == whole.result()


def test_reset_forgets() -> None:
    quality = add(PanopticQuality(CATEGORIES), CASES[0].values[0])
    quality.reset()
    assert quality.result().all.classes == 0


def test_large_ids_are_as_good_as_small_ones() -> None:
    small = drawn(("1122",), ("1112",), {1: CAR, 2: ROAD}, {1: CAR, 2: ROAD})
    far = np.uint32(FAR_APART)

    def moved(listed: tuple) -> tuple:  # type: ignore[type-arg]
        return tuple(
            type(entry)(entry.id * FAR_APART, entry.category_id, entry.area, entry.is_crowd)
            for entry in listed
        )

    large = Pair(
        small.truth_ids * far,
        moved(small.truth_segments),
        small.predicted_ids * far,
        moved(small.predicted_segments),
    )
    assert classes(large) == classes(small)


@pytest.mark.parametrize(
    ("predicted", "predicted_classes", "message"),
    [
        pytest.param("12", {1: CAR}, "not listed: 2", id="pixels without a segment"),
        pytest.param("11", {1: CAR, 5: CAR}, "no pixel in the map: 5", id="no pixels"),
        pytest.param("11", {1: 99}, "does not know: 99", id="unknown category"),
    ],
)
def test_refuses_a_prediction_that_contradicts_itself(
    predicted: str, predicted_classes: dict[int, int], message: str
) -> None:
    pair = drawn(("11",), (predicted,), {1: CAR}, predicted_classes)
    with pytest.raises(DataError, match=message):
        classes(pair)


@pytest.mark.parametrize(
    ("count", "listed"), [(5, "1, 2, 3, 4, 5"), (6, "1, 2, 3, 4, 5 and 1 more")]
)
def test_of_many_mistakes_the_first_five_are_named(count: int, listed: str) -> None:
    row = "".join(str(number) for number in range(1, count + 1))
    pair = drawn(("1" * count,), (row,), {1: CAR}, {})
    with pytest.raises(DataError) as caught:
        classes(pair)
    assert str(caught.value).endswith(f"not listed: {listed}")


def test_refuses_maps_of_different_shape() -> None:
    pair = drawn(("11",), ("111",), {1: CAR}, {1: CAR})
    with pytest.raises(ValueError, match=r"\(1, 2\) and \(1, 3\)"):
        classes(pair)


REFERENCE = [
    (0, 0.6697389319607273, 0.6454664327262077, 0.6940114311952468),
    (1, 0.6697227783601429, 0.651497597321032, 0.6879479593992539),
    (2, 0.5744554234729757, 0.5990888259299887, 0.5498220210159628),
    (3, 0.7307514578992861, 0.7293155326617486, 0.7321873831368235),
]
"""PQ of all classes, things and stuff, computed with ``pq_compute`` of
https://github.com/cocodataset/panopticapi at 7bb4655548f9 (not on PyPI)."""


@pytest.mark.parametrize(("seed", "pq", "things", "stuff"), REFERENCE)
def test_equals_panopticapi(seed: int, pq: float, things: float, stuff: float) -> None:
    metric = PanopticQuality(CATEGORIES)
    for pair in noisy_pairs(seed):
        metric.update(
            pair.truth_ids, pair.truth_segments, pair.predicted_ids, pair.predicted_segments
        )
    found = metric.result()
    assert [found.all.pq, found.things.pq, found.stuff.pq] == pytest.approx(
        [pq, things, stuff], rel=0, abs=1e-9
    )
