# SPDX-License-Identifier: Apache-2.0
"""An annotation after its crowds were divided: what changes, and what never does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.data.crowds.annotation import CrowdCounts, SplitAnnotation, split_annotation
from panoptic_ros.data.crowds.objects import SeenObjects
from test.drawn.drawn_crowds import CAR_RULE, SIZE, Seen, mask, seen

ROAD, CAR = 7, 26
CROWD = CAR * 1000
LEFT, RIGHT = (10, 20, 40, 40), (40, 20, 70, 40)
LONG = (10, 20, 100, 40)
NOBODY = seen()


def entry(number: int, category: int, **others: Any) -> dict[str, Any]:
    return {"id": number, "category_id": category, "area": 1, "bbox": [0, 0, 1, 1], **others}


def street(*crowds: tuple[int, int, int, int]) -> NDArray[np.uint32]:
    """Road with a car, number 4, at the lower right, and crowds of cars."""
    ids = np.full(SIZE, ROAD, np.uint32)
    ids[mask((105, 45, 120, 60))] = CROWD + 4
    ids[mask(*crowds)] = CROWD
    return ids


ENTRIES = [
    entry(CROWD, CAR, iscrowd=1, note="kept"),
    entry(ROAD, ROAD, iscrowd=0),
    entry(CROWD + 4, CAR, iscrowd=0),
]


def divided(
    ids: NDArray[np.uint32],
    sight: SeenObjects = NOBODY,
    entries: list[dict[str, Any]] = ENTRIES,
) -> SplitAnnotation:
    listed = [
        SegmentInfo(one["id"], one["category_id"], one["area"], bool(one["iscrowd"]))
        for one in entries
    ]
    return split_annotation(ids, entries, listed, {CAR: CAR_RULE}, sight)


def test_every_pixel_keeps_its_class() -> None:
    ids = street(LONG, (10, 0, 30, 15))
    done = divided(ids, seen(Seen(LEFT), Seen(RIGHT)))
    category = {one["id"]: one["category_id"] for one in (*ENTRIES, *done.entries)}
    assert done.is_changed
    assert [category[n] for n in done.ids.ravel().tolist()] == [
        category[n] for n in ids.ravel().tolist()
    ]


def test_an_object_is_listed_with_its_area_and_box() -> None:
    done = divided(street(LEFT))
    assert done.entries[-1] == {
        "id": CROWD + 1,
        "category_id": CAR,
        "area": 30 * 20,
        "bbox": [10, 20, 30, 20],
        "iscrowd": 0,
    }


def test_a_crowd_of_which_nothing_is_left_is_gone() -> None:
    done = divided(street(LEFT))
    assert [one["id"] for one in done.entries] == [ROAD, CROWD + 4, CROWD + 1]
    assert CROWD not in done.ids


def test_what_is_left_of_a_crowd_stays_crowd_and_keeps_what_else_is_said_of_it() -> None:
    done = divided(street(LONG), seen(Seen(LEFT), Seen(RIGHT)))
    assert done.entries[0] == {
        **ENTRIES[0],
        "area": 30 * 20,
        "bbox": [70, 20, 30, 20],
    }


def test_a_crowd_without_objects_and_all_other_segments_stay_to_the_letter() -> None:
    ids = street(LONG)
    done = divided(ids)
    assert not done.is_changed
    assert done.entries == ENTRIES
    assert (done.ids == ids).all()


def test_a_crowd_that_no_pixel_has_stays_listed() -> None:
    assert divided(street()).entries == ENTRIES


def test_crowds_of_classes_that_are_not_wanted_stay() -> None:
    entries = [entry(CROWD, ROAD, iscrowd=1)]
    assert divided(street(LEFT), entries=entries).entries == entries


def test_ids_that_are_taken_are_left_out() -> None:
    entries = [*ENTRIES, entry(CROWD + 1, CAR, iscrowd=0)]
    ids = street(LEFT, (80, 20, 100, 40))
    ids[0, 0] = CROWD + 2  # not listed, but in the label image
    assert [one["id"] for one in divided(ids, entries=entries).entries[-2:]] == [
        CROWD + 3,
        CROWD + 5,
    ]


@pytest.mark.parametrize("free", [0, 1])
def test_objects_for_which_no_id_is_left_stay_crowd(free: int) -> None:
    taken = [entry(CROWD + number, CAR, iscrowd=0) for number in range(1, 1000 - free)]
    done = divided(street(LEFT, (80, 20, 100, 40)), entries=[ENTRIES[0], *taken])
    assert done.counts["car"].without_id == 2 - free
    assert done.counts["car"].from_shape == free
    assert int((done.ids == CROWD).sum()) == done.counts["car"].pixels_after
    assert int(done.ids.max()) < CROWD + 1000


def test_pixels_and_objects_are_counted_by_class() -> None:
    done = divided(street(LONG, (10, 0, 30, 15)), seen(Seen(LEFT)))
    assert done.counts == {"car": CrowdCounts(1, 1, 0, 90 * 20 + 20 * 15, 60 * 20)}


def test_the_map_that_was_given_is_not_written_to() -> None:
    ids = street(LEFT)
    divided(ids)
    assert (ids == street(LEFT)).all()


def test_counts_add_up() -> None:
    assert CrowdCounts(1, 2, 3, 4, 5) + CrowdCounts(1, 1, 1, 1, 1) == CrowdCounts(2, 3, 4, 5, 6)
