# SPDX-License-Identifier: Apache-2.0
"""Which parts of a crowd are objects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panoptic_ros.core.types import Panoptic
from panoptic_ros.data.crowds.objects import CrowdRule, SeenObjects, objects_in
from test.drawn.drawn_crowds import CAR_RULE, PERSON, SIZE, Seen, mask, panoptic, seen

LEFT, RIGHT = (10, 20, 40, 40), (40, 20, 70, 40)
BOTH = (10, 20, 70, 40)
NETWORK_ALONE = replace(CAR_RULE, shape=None)
NOBODY = seen()

Found = list[tuple[tuple[int, int, int, int], str]]


def found(
    crowd: tuple[tuple[int, int, int, int], ...],
    sight: SeenObjects = NOBODY,
    rule: CrowdRule = CAR_RULE,
) -> Found:
    """Boxes of the objects, and what they were found by."""
    return sorted((one.box, one.origin) for one in objects_in(mask(*crowd), rule, sight))


def test_two_touching_cars_are_two_objects_where_the_network_sees_two() -> None:
    assert found((BOTH,), seen(Seen(LEFT), Seen(RIGHT))) == [(LEFT, "network"), (RIGHT, "network")]


def test_a_lone_piece_of_a_cars_shape_is_one_car_that_no_network_must_see() -> None:
    assert found((LEFT,)) == [(LEFT, "shape")]


def test_two_pieces_are_judged_apart() -> None:
    apart = (80, 20, 110, 40)
    assert found((LEFT, apart)) == [(LEFT, "shape"), (apart, "shape")]


@pytest.mark.parametrize(
    "crowd",
    [
        ((10, 20, 110, 40),),  # wider than a car
        ((10, 5, 20, 55),),  # narrower
        ((10, 20, 22, 32),),  # smaller
        ((10, 10, 20, 40), (10, 30, 50, 40)),  # bent
    ],
    ids=["wide", "narrow", "small", "bent"],
)
def test_what_has_not_a_cars_shape_and_is_not_seen_stays_crowd(
    crowd: tuple[tuple[int, int, int, int], ...],
) -> None:
    assert found(crowd) == []


def test_without_a_rule_of_shape_the_network_alone_counts() -> None:
    assert found((LEFT,), rule=NETWORK_ALONE) == []
    assert found((LEFT,), seen(Seen(LEFT)), NETWORK_ALONE) == [(LEFT, "network")]


def test_a_crack_of_two_pixels_does_not_part_a_car_and_is_not_its_own() -> None:
    (one,) = objects_in(mask((10, 20, 24, 40), (26, 20, 40, 40)), CAR_RULE, NOBODY)
    assert one.box == LEFT
    assert int(one.mask.sum()) == 2 * 14 * 20


def test_an_object_is_cut_off_where_the_crowd_ends() -> None:
    wide = (10, 20, 100, 40)
    beyond = Seen((10, 18, 45, 42))
    assert found((wide,), seen(beyond)) == [((10, 20, 45, 40), "network")]


def test_pixels_of_an_object_that_are_of_another_class_are_not_its_own() -> None:
    crowd = mask((10, 20, 100, 40)) & ~mask((20, 20, 26, 26))
    (one,) = objects_in(crowd, CAR_RULE, seen(Seen((10, 20, 45, 40))))
    assert int(one.mask.sum()) == 35 * 20 - 6 * 6


@pytest.mark.parametrize(
    "other",
    [
        Seen(RIGHT, score=0.49),
        Seen(RIGHT, label=PERSON),
        Seen((40, 0, 70, 60)),  # mostly outside of the crowd
    ],
    ids=["unsure", "of another class", "elsewhere"],
)
def test_what_the_network_sees_otherwise_stays_crowd(other: Seen) -> None:
    assert found((BOTH,), seen(Seen(LEFT), other), NETWORK_ALONE) == [(LEFT, "network")]


def test_an_object_as_sure_as_asked_is_sure() -> None:
    other = Seen(RIGHT, score=NETWORK_ALONE.least_score)
    both = [(LEFT, "network"), (RIGHT, "network")]
    assert found((BOTH,), seen(Seen(LEFT), other), NETWORK_ALONE) == both


def test_two_objects_unsure_or_not_forbid_that_the_piece_is_one() -> None:
    joined = (10, 10, 60, 40)
    unsure = (Seen((10, 10, 35, 40), score=0.3), Seen((35, 10, 60, 40), score=0.3))
    assert found((joined,)) == [(joined, "shape")]
    assert found((joined,), seen(*unsure)) == []


def test_a_sure_object_that_fills_a_piece_is_all_of_it() -> None:
    nearly = Seen((10, 20, 38, 40))
    assert found((LEFT,), seen(nearly), NETWORK_ALONE) == [(LEFT, "network")]


def test_the_networks_map_may_be_smaller_than_the_label_image() -> None:
    large = panoptic(Seen(LEFT), Seen(RIGHT))
    small = Panoptic(
        large.labels[::2, ::2], large.ids[::2, ::2], large.confidence[::2, ::2], large.segments
    )
    assert found((BOTH,), SeenObjects.of(small, SIZE)) == [(LEFT, "network"), (RIGHT, "network")]


def test_objects_never_overlap_and_never_leave_the_crowd() -> None:
    crowd = mask((5, 5, 110, 50))
    boxes = [(x, y, x + 40, y + 30) for x in range(0, 90, 30) for y in (0, 22)]
    covered = np.zeros(SIZE, np.int64)
    for one in objects_in(crowd, NETWORK_ALONE, seen(*map(Seen, boxes))):
        x0, y0, x1, y1 = one.box
        covered[y0:y1, x0:x1] += one.mask
    assert covered.max() == 1
    assert not covered[~crowd].any()
