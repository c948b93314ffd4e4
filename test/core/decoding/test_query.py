# SPDX-License-Identifier: Apache-2.0
"""Query heads on drawn maps: digits are winning queries, '.' is nobody's pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.decoding.query import QueryHeads
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import VOID, Panoptic
from test.drawn.drawings import CAR, LABELS, PERSON, ROAD, SKY

ANY_SIZE = DecodeConfig(min_thing_area=0.0, min_stuff_area=0.0)


def heads(
    drawing: str,
    classes: Sequence[int],
    scores: Sequence[float] = (),
    areas: Sequence[int] = (),
    confidence: int = 200,
) -> QueryHeads:
    """Draw heads; a query's own mask is what it wins unless ``areas`` says otherwise."""
    rows = drawing.split()
    queries = np.array([[0 if c == "." else int(c) for c in row] for row in rows], np.uint8)
    won = np.bincount(queries.ravel(), minlength=len(classes) + 1)[1 : len(classes) + 1]
    return QueryHeads(
        queries,
        np.where(queries > 0, np.uint8(confidence), np.uint8(0)),
        np.array(classes, np.uint8),
        np.array(scores or [0.9] * len(classes), np.float32),
        np.array(areas or won, np.int32),
    )


def drawn(values: NDArray[np.integer]) -> list[str]:  # type: ignore[type-arg]
    return ["".join("." if v == VOID else str(v) for v in row) for row in values]


def test_each_object_has_an_id_and_stuff_has_none() -> None:
    result = decode(heads("1122 1133", [CAR, ROAD, PERSON]), LABELS, ANY_SIZE)
    assert drawn(result.ids) == ["1100", "1122"]
    assert drawn(result.labels) == ["2200", "2233"]
    assert [segment.label for segment in result.segments] == [CAR, PERSON]
    assert [segment.box for segment in result.segments] == [(0, 0, 2, 2), (2, 1, 4, 2)]
    assert [segment.area for segment in result.segments] == [4, 2]


def test_two_queries_of_one_stuff_class_are_one_region_and_two_of_a_thing_are_two() -> None:
    result = decode(heads("1234", [SKY, CAR, SKY, CAR]), LABELS, ANY_SIZE)
    assert drawn(result.labels) == ["1212"]
    assert drawn(result.ids) == ["0102"]


def test_ids_run_from_the_strongest_to_the_weakest_ties_by_position() -> None:
    result = decode(heads("123", [CAR] * 3, [0.6, 0.9, 0.6]), LABELS, ANY_SIZE)
    assert drawn(result.ids) == ["213"]
    assert [segment.score for segment in result.segments] == pytest.approx([0.9, 0.6, 0.6])


def test_an_object_has_the_probability_that_its_query_gives() -> None:
    (segment,) = decode(heads("1", [CAR], [0.75]), LABELS, ANY_SIZE).segments
    assert segment.probabilities == {CAR: 0.75, VOID: 0.25}


def test_nobodys_pixels_are_void_and_unsure() -> None:
    result = decode(heads("1..", [CAR]), LABELS, ANY_SIZE)
    assert drawn(result.labels) == ["2.."]
    assert result.confidence.tolist() == [[200, 0, 0]]


@pytest.mark.parametrize(
    ("area", "kept"),
    [(3, True), (4, False), (9, False), (2, True), (0, False)],
    ids=["all", "exactly the threshold", "less than half", "more than its mask", "no mask"],
)
def test_a_query_must_keep_most_of_its_own_mask(area: int, kept: bool) -> None:
    config = replace(ANY_SIZE, overlap_threshold=0.75)
    result = decode(heads("1112", [CAR, ROAD], areas=[area, 1]), LABELS, config)
    assert drawn(result.labels) == ["2220" if kept else "...0"]
    assert len(result.segments) == kept


def test_pixels_outside_of_the_mask_count_as_won_but_are_void() -> None:
    drawing = heads("1111", [CAR], areas=[4])
    drawing.confidence[0, 3] = 0
    result = decode(drawing, LABELS, ANY_SIZE)
    assert drawn(result.labels) == ["222."]
    assert [segment.area for segment in result.segments] == [3]


def test_a_query_all_of_whose_pixels_are_outside_is_no_object() -> None:
    result = decode(heads("11", [CAR], areas=[2], confidence=0), LABELS, ANY_SIZE)
    assert result.segments == ()
    assert drawn(result.labels) == [".."]


def test_unsure_pixels_become_void() -> None:
    unsure = replace(ANY_SIZE, min_confidence=0.9)
    assert drawn(decode(heads("12", [CAR, ROAD]), LABELS, unsure).labels) == [".."]


@pytest.mark.parametrize(
    ("config", "ids"),
    [
        (replace(ANY_SIZE, object_threshold=0.7), "1100"),
        (replace(ANY_SIZE, max_objects=1), "1100"),
        (replace(ANY_SIZE, min_thing_area=0.5), "1100"),
    ],
    ids=["weak", "too many", "small"],
)
def test_a_thing_that_is_no_object_keeps_its_label(config: DecodeConfig, ids: str) -> None:
    result = decode(heads("1123", [CAR, CAR, PERSON], [0.9, 0.6, 0.5]), LABELS, config)
    assert drawn(result.ids) == [ids]
    assert drawn(result.labels) == ["2223"]


def test_a_stuff_class_that_covers_little_becomes_void_and_all_its_queries_count() -> None:
    little = replace(ANY_SIZE, min_stuff_area=0.4)
    result = decode(heads("12334", [ROAD, SKY, ROAD, CAR]), LABELS, little)
    assert drawn(result.labels) == ["0.002"]


def test_an_image_without_any_query_is_void() -> None:
    result = decode(heads("..", [VOID, VOID]), LABELS, ANY_SIZE)
    assert drawn(result.labels) == [".."]
    assert result.segments == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"confidence": np.zeros((3, 1), np.uint8)}, r"queries are \(1, 2\), confidence \(3, 1\)"),
        ({"query_scores": np.zeros(5, np.float32)}, "each two must be alike"),
        ({"query_labels": np.array([9, 0], np.uint8)}, "says class 9, .* has 4"),
        ({"queries": np.array([[1, 7]], np.uint8)}, "query 7 wins a pixel, .* has 2"),
    ],
    ids=["maps", "lists", "class", "number"],
)
def test_heads_that_do_not_fit_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(EngineRunError, match=message):
        decode(replace(heads("12", [CAR, ROAD]), **changes), LABELS, ANY_SIZE)


@given(st.integers(0, 2**32 - 1))
def test_any_heads_give_a_map_that_fits_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 12))
    drawing = QueryHeads(
        rng.integers(0, count + 1, (6, 9)).astype(np.uint8),
        rng.integers(0, 256, (6, 9)).astype(np.uint8),
        rng.choice([*range(len(LABELS)), VOID], count).astype(np.uint8),
        rng.random(count).astype(np.float32),
        rng.integers(0, 12, count).astype(np.int32),
    )
    result: Panoptic = decode(drawing, LABELS, ANY_SIZE)
    again = decode(drawing, LABELS, ANY_SIZE)
    assert (result.ids == again.ids).all()
    for index, segment in enumerate(result.segments, start=1):
        inside = result.ids == index
        assert segment.id == index
        assert segment.area == inside.sum() > 0
        assert set(result.labels[inside]) == {segment.label}
        x0, y0, x1, y1 = segment.box
        assert inside[y0:y1, x0:x1].sum() == segment.area
    assert not result.ids[result.labels == VOID].any()
    assert not result.confidence[result.labels == VOID].any()
    assert int(result.ids.max()) == len(result.segments)
