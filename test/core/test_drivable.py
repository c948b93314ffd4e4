# SPDX-License-Identifier: Apache-2.0
"""The surface on drawn streets: 'r' road, 's' sky, digits are cars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.drivable import find_drivable, free_space_boundary
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.types import Panoptic
from test.core.drawings import LABELS, scene

CONFIG = DrivableConfig(max_hole_area=0.05, ego_width=1.0)


def surface(frame: Panoptic, config: DrivableConfig = CONFIG) -> list[str]:
    mask = find_drivable(frame, LABELS, config).mask
    return ["".join("#" if value else "." for value in row) for row in mask]


def test_drivable_classes_are_surface_and_nothing_else() -> None:
    assert surface(scene("ssss", "r1r.", "rrrr")) == ["....", "#.#.", "####"]


def test_a_road_that_does_not_reach_the_camera_is_left_out() -> None:
    assert surface(scene("rrrr", "ssss", "rrss")) == ["....", "....", "##.."]


def test_the_surface_must_touch_the_strip_in_front_of_the_camera() -> None:
    frame = scene("rssssr", "rssrrr", "rsssss", "rssrss")
    narrow = replace(CONFIG, ego_width=0.34)
    assert surface(frame, narrow) == ["......", "......", "......", "...#.."]


@pytest.mark.parametrize("width", [1, 2, 3, 64, 100])
def test_the_narrowest_strip_is_still_a_pixel_wide(width: int) -> None:
    frame = scene("r" * width)
    assert surface(frame, replace(CONFIG, ego_width=0.01)) == ["#" * width]


def test_a_thing_class_is_no_surface_even_where_the_label_set_says_so() -> None:
    labels = LabelSet("odd", tuple(replace(label, is_drivable=True) for label in LABELS.labels))
    found = find_drivable(scene("r1r", "r1r"), labels, CONFIG)
    assert found.mask.tolist() == [[True, False, True]] * 2


def test_a_small_hole_is_closed() -> None:
    rows = ["rrrrrrr", "rrr.rrr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows)) == ["#######"] * 4


def test_a_hole_with_a_thing_in_it_stays_open() -> None:
    rows = ["rrrrrrr", "rrr1rrr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows))[1] == "###.###"


def test_a_large_hole_stays_open() -> None:
    rows = ["rrrrrrr", "rr...rr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows))[1] == "##...##"


def test_a_gap_at_the_rim_is_no_hole() -> None:
    rows = ["rrr.rrr", "rrrrrrr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows))[0] == "###.###"


def test_unsure_road_is_no_surface() -> None:
    frame = scene("rr", "rr")
    confidence = np.array([[100, 255], [255, 255]], np.uint8)
    unsure = Panoptic(frame.labels, frame.ids, confidence, frame.segments)
    config = DrivableConfig(min_confidence=0.5, max_hole_area=0.0, ego_width=1.0)
    found = find_drivable(unsure, LABELS, config)
    assert found.mask.tolist() == [[False, True], [True, True]]
    assert found.confidence.tolist() == [[0, 255], [255, 255]]


def test_the_boundary_is_the_first_blocked_row_from_below() -> None:
    frame = scene("rsr", "rrs", "rr1")
    assert find_drivable(frame, LABELS, CONFIG).boundary.tolist() == [-1, 0, 2]


def test_a_frame_without_any_road_has_no_surface() -> None:
    found = find_drivable(scene("ss", ".."), LABELS, CONFIG)
    assert not found.mask.any()
    assert found.boundary.tolist() == [1, 1]


@given(st.integers(0, 2**32 - 1))
def test_no_thing_is_ever_drivable_and_the_boundary_fits_the_mask(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = scene(*["".join(rng.choice(list("rrrrr.s12"), 12)) for _ in range(9)])
    found = find_drivable(frame, LABELS, DrivableConfig(max_hole_area=0.1))
    assert not (found.mask & (frame.ids > 0)).any()
    for column, row in enumerate(free_space_boundary(found.mask)):
        assert found.mask[row + 1 :, column].all()
        assert row == -1 or not found.mask[row, column]
