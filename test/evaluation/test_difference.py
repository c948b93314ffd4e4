# SPDX-License-Identifier: Apache-2.0
"""What two results of one image differ in, on small drawn maps."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.evaluation.difference import Difference, SideFrame, paired, segments_of

NAMES = ("road", "car")
CAR, VOID = 1, 255


def side(stamp_ns: int = 0, *cars: tuple[int, int], surface: int = 6) -> SideFrame:
    """Road of 10 x 10 px with cars of 2 x 2 px: (column, id); drivable from row ``surface`` on."""
    labels, ids = np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint16)
    for column, number in cars:
        labels[2:4, column : column + 2], ids[2:4, column : column + 2] = CAR, number
    drivable = np.zeros((10, 10), np.uint8)
    drivable[surface:] = 1
    return SideFrame(stamp_ns, labels, ids, drivable)


def test_equal_results_do_not_differ() -> None:
    difference = Difference(NAMES)
    difference.update(side(0, (1, 5), (5, 6)), side(0, (1, 5), (5, 6)))
    assert set(difference.measures().values()) == {0.0}


def test_other_ids_alone_are_no_difference() -> None:
    difference = Difference(NAMES)
    for stamp in range(3):
        difference.update(side(stamp, (1, 5)), side(stamp, (1, 9)))
    assert set(difference.measures().values()) == {0.0}


def test_lost_and_appeared_objects_are_counted() -> None:
    difference = Difference(NAMES)
    frame = difference.update(side(0, (1, 5), (5, 6)), side(0, (5, 1), (8, 2)))
    assert (frame.lost, frame.appeared, frame.objects) == (1, 1, 2)
    assert difference.measures()["lost"] == 50.0
    assert frame.pixels == pytest.approx(8 / 100)
    assert difference.measures()["pq"] > 10


@pytest.mark.parametrize(("pixels", "lost"), [(2, 1), (3, 0)], ids=["half", "more"])
def test_an_object_of_which_half_is_left_is_another_one(pixels: int, lost: int) -> None:
    whole, part = side(0, (1, 5)), side(0, (1, 5))
    rows, columns = np.nonzero(part.ids)
    part.labels[rows[pixels:], columns[pixels:]] = part.ids[rows[pixels:], columns[pixels:]] = 0
    frame = Difference(NAMES).update(whole, part)
    assert (frame.lost, frame.appeared) == (lost, lost)


def test_an_id_that_changes_in_one_of_the_two_is_counted() -> None:
    difference = Difference(NAMES)
    for stamp, number in enumerate((1, 1, 2, 2)):
        difference.update(side(stamp, (1, 5)), side(stamp, (1, number)))
    assert [frame.id_changes for frame in difference.frames] == [0, 0, 1, 0]
    assert difference.measures()["id_changes"] == 25.0


def test_a_surface_that_ends_elsewhere_differs_near_or_far() -> None:
    difference = Difference(NAMES)
    difference.update(side(0, surface=6), side(0, surface=7))
    difference.update(side(1, surface=6), side(1, surface=4))
    assert [frame.drivable for frame in difference.frames] == [0.1, 0.2]
    assert [frame.drivable_near for frame in difference.frames] == [0.25, 0.0]


def test_time_is_compared_where_it_is_known() -> None:
    difference = Difference(NAMES)
    slow, fast = side(0), side(0)
    object.__setattr__(slow, "latency_ms", 10.0)
    object.__setattr__(fast, "latency_ms", 15.0)
    difference.update(slow, fast)
    assert difference.measures()["latency"] == 50.0
    assert "latency" not in Difference(NAMES).measures()


def test_frames_are_paired_by_stamp_and_others_counted() -> None:
    difference = Difference(NAMES)
    a, b = (side(stamp) for stamp in (1, 2, 4)), (side(stamp) for stamp in (2, 3, 4, 5))
    stamps = [left.stamp_ns for left, _ in paired(a, b, difference)]
    assert (stamps, difference.only_a, difference.only_b) == ([2, 4], 1, 2)


def test_void_is_no_segment() -> None:
    labels = np.array([[0, VOID], [CAR, CAR]], np.uint8)
    ids = np.array([[0, 0], [3, 3]], np.uint16)
    found = [(entry.category_id, entry.area) for entry in segments_of(labels, ids)[1]]
    assert found == [(0, 1), (CAR, 2)]
