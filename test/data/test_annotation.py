# SPDX-License-Identifier: Apache-2.0
"""Labelled images in both forms."""

from __future__ import annotations

import numpy as np

from panoptic_ros.core.classes.categories import Category, SegmentInfo
from panoptic_ros.data.annotation import MapAnnotation, SegmentAnnotation
from panoptic_ros.data.label_map import LabelMap

CATEGORIES = (Category(7, "road", False), Category(26, "car", True))
ROAD, CAR, VOID = 0, 1, 255


def test_segments_become_classes_and_numbered_objects() -> None:
    ids = np.array([[900, 900, 5], [0, 77, 16_000_000]], np.uint32)
    listed = [
        SegmentInfo(5, 7, 1, False),
        SegmentInfo(900, 26, 2, False),
        SegmentInfo(77, 26, 1, True),
    ]
    found = SegmentAnnotation(ids, listed, CATEGORIES)
    assert found.shape == (2, 3)
    assert found.map.labels.tolist() == [[CAR, CAR, ROAD], [VOID, CAR, VOID]]
    assert found.map.ids.tolist() == [[2, 2, 0], [0, 0, 0]]


def test_areas_of_the_file_are_kept() -> None:
    listed = [SegmentInfo(1, 7, 99, False)]
    assert SegmentAnnotation(np.ones((1, 2), np.uint32), listed, CATEGORIES).segments[1] == listed


def test_a_class_behind_the_255th_is_void_in_the_map() -> None:
    many = tuple(Category(number, str(number), False) for number in range(300))
    ids = np.array([[1, 2]], np.uint32)
    listed = [SegmentInfo(1, 254, 1, False), SegmentInfo(2, 255, 1, False)]
    assert SegmentAnnotation(ids, listed, many).map.labels.tolist() == [[254, VOID]]


def test_a_map_becomes_segments_as_truth_or_prediction() -> None:
    image = LabelMap(np.array([[CAR, ROAD]], np.uint8), np.zeros((1, 2), np.uint16))
    truth = MapAnnotation(image, CATEGORIES, is_truth=True)
    predicted = MapAnnotation(image, CATEGORIES, is_truth=False)
    assert [segment.is_crowd for segment in truth.segments[1]] == [False, True]
    assert [segment.category_id for segment in predicted.segments[1]] == [7]
    assert truth.map is image
    assert truth.shape == (1, 2)


def test_an_empty_image_has_nothing() -> None:
    found = SegmentAnnotation(np.zeros((0, 4), np.uint32), [], CATEGORIES)
    assert found.map.labels.shape == (0, 4)
