# SPDX-License-Identifier: Apache-2.0
"""On which side of a threshold its own value falls, for every kind of network."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.decoding.query import QueryHeads
from panoptic_ros.core.decoding.semantic import SemanticHeads
from panoptic_ros.core.types import VOID, Heads
from test.drawn.drawings import CAR, LABELS, ROAD

SURE = 204  # 0.8 of 255
CAR_PIXELS = 2
MAP = np.array([[CAR] * CAR_PIXELS + [ROAD] * 6], np.uint8)


def center_offset() -> CenterOffsetHeads:
    """A car of two pixels with a centre of 0.8."""
    centers = np.zeros(MAP.shape, np.uint8)
    centers[0, 0] = SURE
    offsets = np.zeros((2, *MAP.shape), np.float16)
    return CenterOffsetHeads(MAP, np.full(MAP.shape, SURE, np.uint8), centers, offsets)


def query() -> QueryHeads:
    """A query for the car and one for the road, each with a score of 0.75."""
    queries = np.where(MAP == CAR, np.uint8(1), np.uint8(2))
    scores, areas = np.full(2, 0.75, np.float32), np.array([CAR_PIXELS, 6], np.int32)
    classes = np.array([CAR, ROAD], np.uint8)
    return QueryHeads(queries, np.full(MAP.shape, SURE, np.uint8), classes, scores, areas)


def semantic() -> SemanticHeads:
    """A car of two pixels, 0.8 sure."""
    return SemanticHeads(MAP, np.full(MAP.shape, SURE, np.uint8))


def config(**changes: float) -> DecodeConfig:
    anything: dict[str, float] = {
        "center_threshold": 0.1,
        "object_threshold": 0.0,
        "min_thing_area": 0.0,
        "min_stuff_area": 0.0,
        "center_reach": 1 / 8,
        "region_confidence": 1.0,
    }
    return DecodeConfig(**{**anything, **changes})  # type: ignore[arg-type]


KINDS = [
    pytest.param(center_offset(), 0.64, id="center offset"),
    pytest.param(query(), 0.75, id="query"),
    pytest.param(semantic(), 0.8, id="semantic"),
]
ABOVE = 1e-4


@pytest.mark.parametrize(("heads", "score"), KINDS)
def test_an_object_that_is_as_sure_as_asked_is_one(heads: Heads, score: float) -> None:
    # What the network's whole numbers and float32 make of the score.
    (found,) = decode(heads, LABELS, config()).segments
    assert found.score == pytest.approx(score, abs=1e-6)
    counts = [
        len(decode(heads, LABELS, config(object_threshold=found.score + more)).segments)
        for more in (0.0, ABOVE)
    ]
    assert counts == [1, 0]


@pytest.mark.parametrize(("heads", "score"), KINDS)
def test_an_object_that_is_as_large_as_asked_is_one(heads: Heads, score: float) -> None:
    share = CAR_PIXELS / MAP.size
    counts = [
        len(decode(heads, LABELS, config(min_thing_area=share + more)).segments)
        for more in (0.0, ABOVE)
    ]
    assert counts == [1, 0]


@pytest.mark.parametrize(("heads", "score"), KINDS)
def test_a_stuff_class_that_covers_as_much_as_asked_stays(heads: Heads, score: float) -> None:
    share = 6 / MAP.size
    last = [
        int(decode(heads, LABELS, config(min_stuff_area=share + more)).labels[0, -1])
        for more in (0.0, ABOVE)
    ]
    assert last == [ROAD, VOID]


@pytest.mark.parametrize(("heads", "score"), KINDS)
def test_a_pixel_that_is_as_sure_as_asked_is_kept(heads: Heads, score: float) -> None:
    last = [
        int(decode(heads, LABELS, config(min_confidence=least)).labels[0, -1])
        for least in (SURE / 255, (SURE + 1) / 255)
    ]
    assert last == [ROAD, VOID]


@pytest.mark.parametrize(("least", "count"), [(SURE / 255, 1), ((SURE + 1) / 255, 0)])
def test_a_centre_that_is_as_sure_as_asked_is_one(least: float, count: int) -> None:
    made = decode(center_offset(), LABELS, config(center_threshold=least, center_reach=1.0))
    assert len(made.segments) == count


def test_a_target_at_the_edge_of_a_centres_reach_belongs_to_it() -> None:
    # The second pixel points at itself, one of eight columns from the centre.
    areas = []
    for reach in (1 / 8, 1 / 8 - ABOVE):
        (found,) = decode(center_offset(), LABELS, config(center_reach=reach)).segments
        areas.append(found.area)
    assert areas == [2, 1]


def test_a_region_without_a_centre_that_is_as_sure_as_asked_is_one_object() -> None:
    counts = [
        len(
            decode(
                center_offset(), LABELS, config(center_threshold=1.0, region_confidence=least)
            ).segments
        )
        for least in (SURE / 255, SURE / 255 + ABOVE)
    ]
    assert counts == [1, 0]


def test_a_region_without_a_centre_that_is_as_large_as_asked_is_one_object() -> None:
    counts = [
        len(
            decode(
                center_offset(),
                LABELS,
                config(
                    center_threshold=1.0,
                    region_confidence=0.5,
                    min_thing_area=CAR_PIXELS / MAP.size + more,
                ),
            ).segments
        )
        for more in (0.0, ABOVE)
    ]
    assert counts == [1, 0]
