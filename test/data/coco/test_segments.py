# SPDX-License-Identifier: Apache-2.0
"""A panoptic value as COCO segments: who gets an id, which one, and how large it is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.core.types import VOID, Panoptic, Segment
from panoptic_ros.data.coco.segments import STUFF_FIRST_ID, encode

ROAD, SKY, CAR = 0, 1, 2
CATEGORY = {ROAD: 7, SKY: 23, CAR: 26}
THINGS = np.arange(256) == CAR


def panoptic(labels: list[list[int]], ids: list[list[int]]) -> Panoptic:
    label_map, id_map = np.array(labels, np.uint8), np.array(ids, np.uint16)
    segments = tuple(
        Segment(number, int(label_map[id_map == number][0]), 1.0, 1, (0, 0, 1, 1))
        for number in range(1, int(id_map.max()) + 1)
    )
    return Panoptic(label_map, id_map, np.full(label_map.shape, 255, np.uint8), segments)


def encoded(
    labels: list[list[int]],
    ids: list[list[int]],
    size: tuple[int, int] | None = None,
    category_ids: dict[int, int] = CATEGORY,
) -> tuple[NDArray[np.uint32], tuple[SegmentInfo, ...]]:
    value = panoptic(labels, ids)
    return encode(value, size or value.labels.shape, category_ids, THINGS)


def test_an_object_keeps_its_id_and_stuff_gets_one_per_class() -> None:
    ids, _ = encoded([[SKY, CAR, CAR], [ROAD, CAR, SKY]], [[0, 1, 1], [0, 2, 0]])
    sky, road = STUFF_FIRST_ID + SKY, STUFF_FIRST_ID + ROAD
    assert ids.tolist() == [[sky, 1, 1], [road, 2, sky]]


def test_segments_carry_category_and_area_in_order_of_their_ids() -> None:
    _, segments = encoded([[SKY, CAR, CAR], [ROAD, CAR, SKY]], [[0, 1, 1], [0, 2, 0]])
    assert segments == (
        SegmentInfo(1, 26, 2, False),
        SegmentInfo(2, 26, 1, False),
        SegmentInfo(STUFF_FIRST_ID + ROAD, 7, 1, False),
        SegmentInfo(STUFF_FIRST_ID + SKY, 23, 2, False),
    )


def test_areas_are_counted_at_the_size_of_the_image() -> None:
    ids, segments = encoded([[CAR, ROAD]], [[1, 0]], size=(2, 6))
    assert ids.shape == (2, 6)
    assert [segment.area for segment in segments] == [6, 6]


def test_an_object_that_vanishes_in_a_smaller_image_has_no_segment() -> None:
    _, segments = encoded([[CAR, ROAD, ROAD]], [[1, 0, 0]], size=(1, 1))
    assert [segment.category_id for segment in segments] == [7]


def test_every_listed_area_is_that_of_the_map() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, (20, 30))
    ids = np.where(labels == CAR, rng.integers(0, 5, labels.shape), 0)
    drawn, segments = encoded(labels.tolist(), ids.tolist(), size=(37, 41))
    assert {segment.id: segment.area for segment in segments} == {
        number: int((drawn == number).sum()) for number in np.unique(drawn[drawn > 0]).tolist()
    }


@pytest.mark.parametrize(
    ("labels", "ids", "category_ids"),
    [
        pytest.param([[CAR]], [[0]], CATEGORY, id="thing pixel without object"),
        pytest.param([[VOID]], [[0]], CATEGORY, id="void pixel"),
        pytest.param([[SKY]], [[0]], {ROAD: 7}, id="stuff the data set does not have"),
        pytest.param([[CAR]], [[1]], {ROAD: 7}, id="object of a class it does not have"),
    ],
)
def test_becomes_void(
    labels: list[list[int]], ids: list[list[int]], category_ids: dict[int, int]
) -> None:
    drawn, segments = encoded(labels, ids, category_ids=category_ids)
    assert drawn.tolist() == [[0]]
    assert segments == ()
