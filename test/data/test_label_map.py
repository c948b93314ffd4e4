# SPDX-License-Identifier: Apache-2.0
"""A labelled image as segments."""

from __future__ import annotations

import numpy as np

from panoptic_ros.core.classes.categories import Category, SegmentInfo
from panoptic_ros.data.label_map import LabelMap, to_segments

CATEGORIES = (Category(7, "road", False), Category(26, "car", True))
ROAD, CAR, VOID = 0, 1, 255
ROAD_ID, CROWD_ID = 1 << 16, 2 << 16


def image(labels: list[int], ids: list[int]) -> LabelMap:
    return LabelMap(np.array([labels], np.uint8), np.array([ids], np.uint16))


def test_an_object_is_numbered_by_class_and_object() -> None:
    ids, segments = to_segments(image([CAR, CAR, ROAD], [5, 5, 0]), CATEGORIES, True)
    assert ids.tolist() == [[CROWD_ID + 5, CROWD_ID + 5, ROAD_ID]]
    assert segments == (
        SegmentInfo(ROAD_ID, 7, 1, False),
        SegmentInfo(CROWD_ID + 5, 26, 2, False),
    )


def test_stuff_is_one_segment_whatever_ids_it_carries() -> None:
    ids, segments = to_segments(image([ROAD, ROAD], [1, 2]), CATEGORIES, True)
    assert ids.tolist() == [[ROAD_ID, ROAD_ID]]
    assert segments == (SegmentInfo(ROAD_ID, 7, 2, False),)


def test_void_has_no_segment() -> None:
    ids, segments = to_segments(image([VOID, VOID], [0, 9]), CATEGORIES, True)
    assert ids.tolist() == [[0, 0]]
    assert segments == ()


def test_things_without_an_object_are_crowd_in_truth() -> None:
    ids, segments = to_segments(image([CAR, ROAD], [0, 0]), CATEGORIES, True)
    assert ids.tolist() == [[CROWD_ID, ROAD_ID]]
    assert segments[-1] == SegmentInfo(CROWD_ID, 26, 1, True)


def test_things_without_an_object_are_void_in_a_prediction() -> None:
    ids, segments = to_segments(image([CAR, ROAD], [0, 0]), CATEGORIES, False)
    assert ids.tolist() == [[0, ROAD_ID]]
    assert segments == (SegmentInfo(ROAD_ID, 7, 1, False),)


def test_the_largest_number_fits() -> None:
    ids, segments = to_segments(image([CAR], [65535]), CATEGORIES, True)
    assert ids.tolist() == [[CROWD_ID + 65535]]
    assert segments == (SegmentInfo(CROWD_ID + 65535, 26, 1, False),)
