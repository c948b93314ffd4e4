# SPDX-License-Identifier: Apache-2.0
"""The surface on drawn streets: 'r' road, 's' sky, digits are cars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.drivable.evidence import SurfaceRules, surface_evidence
from panoptic_ros.core.drivable.filter import DrivableFilter, find_drivable
from panoptic_ros.core.drivable.free_space import ending_classes, free_space_boundary
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.types import VOID, Panoptic
from test.drawn.drawings import CAR, LABELS, PERSON, SKY, scene

CONFIG = DrivableConfig(max_hole_area=0.05, ego_width=1.0, thing_margin=0.0, person_margin=0.0)


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


def test_the_surface_begins_above_what_looks_like_the_own_bonnet() -> None:
    frame = scene("ssssss", "rrrrrr rrrrrr rrrrrr", "rcccsr")
    ahead = ["......", "######", "######", "######", "#....#"]
    config = replace(CONFIG, ego_width=0.34)
    assert surface(frame, config) == ahead
    assert find_drivable(frame, LABELS, config).boundary.tolist() == [0] * 4 + [4, 0]
    assert surface(frame, replace(config, above_bonnet=False)) == ["......"] * 5


def test_a_bonnet_keeps_no_margin_and_a_car_with_an_id_does() -> None:
    config = replace(CONFIG, thing_margin=0.2, ego_width=0.34)
    rows = ["ssssssssss", *["rrrrrrrrrr"] * 8]
    assert surface(scene(*rows, "cccccccccc"), config)[1:9] == ["##########"] * 8
    assert surface(scene(*rows, "1111111111"), config)[7:] == [".........."] * 3


@pytest.mark.parametrize("width", [1, 2, 3, 64, 100])
def test_the_narrowest_strip_is_still_a_pixel_wide(width: int) -> None:
    frame = scene("r" * width)
    assert surface(frame, replace(CONFIG, ego_width=0.01)) == ["#" * width]


def test_a_thing_class_is_no_surface_even_where_the_label_set_says_so() -> None:
    labels = LabelSet("odd", tuple(replace(label, is_drivable=True) for label in LABELS.labels))
    found = find_drivable(scene("r1r", "r1r"), labels, CONFIG)
    assert found.mask.tolist() == [[True, False, True]] * 2


def test_a_small_hole_is_closed() -> None:
    rows = ["rrrrrrr", "rrrsrrr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows)) == ["#######"] * 4


def test_a_hole_of_which_nothing_is_known_stays_open() -> None:
    rows = ["rrrrrrr", "rrr.rrr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows))[1] == "###.###"


def test_a_hole_at_the_margin_of_a_thing_stays_open() -> None:
    rows = ["rrrrrrrr"] * 8 + ["rrr1rrrr", *["rrrrrrrr"] * 4]
    wide = replace(CONFIG, thing_margin=0.2, max_hole_area=0.5)
    assert surface(scene(*rows), wide)[8] == "##...###"


def test_a_hole_with_a_thing_in_it_stays_open() -> None:
    rows = ["rrrrrrr", "rrr1rrr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows))[1] == "###.###"


def test_a_large_hole_stays_open() -> None:
    rows = ["rrrrrrr", "rrsssrr", "rrrrrrr", "rrrrrrr"]
    assert surface(scene(*rows))[1] == "##...##"


@pytest.mark.parametrize("y", [0, 3])
def test_a_gap_at_the_upper_or_lower_rim_is_no_hole(y: int) -> None:
    rows = ["rrrrrrr"] * 4
    rows[y] = "rrrsrrr"
    assert surface(scene(*rows))[y] == "###.###"


@pytest.mark.parametrize(("row", "expected"), [("srrrrrr", ".######"), ("rrrrrrs", "######.")])
def test_a_gap_at_the_left_or_right_rim_is_no_hole(row: str, expected: str) -> None:
    assert surface(scene("rrrrrrr", "rrrrrrr", row, "rrrrrrr"))[2] == expected


def test_a_column_that_is_free_to_the_top_ends_in_nothing() -> None:
    labels = np.array([[SKY, SKY], [0, 0]], np.uint8)
    is_surface = np.zeros(256, np.bool_)
    is_surface[0] = True
    # The first column is free although its highest pixel says sky: surface is remembered.
    ends = ending_classes(np.array([-1, 0], np.int32), labels, is_surface, 1)
    assert ends.tolist() == [VOID, SKY]


@pytest.mark.parametrize(("confidence", "is_blocked"), [(102, True), (101, False)])
def test_another_class_as_sure_as_asked_ends_the_surface_at_once(
    confidence: int, is_blocked: bool
) -> None:
    config = replace(CONFIG, sure_confidence=0.4)
    frame = scene("s")
    frame.confidence[:] = confidence
    found = surface_evidence(frame, SurfaceRules.of(LABELS, config), config)
    assert bool(found.blocked.any()) == is_blocked


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


def test_a_piece_that_is_nowhere_sure_is_no_surface() -> None:
    frame = scene("rrrr", "rrrr")
    config = replace(CONFIG, min_confidence=0.3, sure_confidence=0.7)
    doubt = np.full((2, 4), 120, np.uint8)
    assert surface(replace(frame, confidence=doubt), config) == ["....", "...."]
    doubt[1, 3] = 200
    assert surface(replace(frame, confidence=doubt), config) == ["####", "####"]


@pytest.mark.parametrize(("level", "expected"), [(102, "####"), (101, "....")])
def test_a_piece_with_a_pixel_as_sure_as_asked_is_surface(level: int, expected: str) -> None:
    confidence = np.full((1, 4), 90, np.uint8)
    confidence[0, 2] = level
    frame = replace(scene("rrrr"), confidence=confidence)
    config = replace(CONFIG, min_confidence=0.3, sure_confidence=0.4)
    assert surface(frame, config) == [expected]


def test_a_piece_that_is_sure_only_far_from_the_camera_is_surface() -> None:
    config = replace(CONFIG, min_confidence=0.3, sure_confidence=0.7)
    confidence = np.full((3, 6), 120, np.uint8)
    confidence[0, 0] = confidence[2, 3] = 200
    frame = replace(scene("rrsrsr", "rrsrsr", "rrsrsr"), confidence=confidence)
    assert surface(frame, config) == ["##.#..", "##.#..", "##.#.."]


def test_the_margin_of_a_thing_grows_toward_the_camera() -> None:
    near = ["r" * 21] * 18 + ["r" * 10 + "1" + "r" * 10] + ["r" * 21]
    far = [*near[:9], near[18], *near[9:18], near[19]]
    config = replace(CONFIG, thing_margin=0.15, max_hole_area=0.0)
    widths = [
        max(row.strip("#").count(".") for row in surface(scene(*rows), config))
        for rows in (near, far)
    ]
    assert widths == [7, 3]


def test_persons_are_kept_clear_of_more_than_cars() -> None:
    rows = ["r" * 21] * 8 + ["rrrr1rrrrrrrrrrr2rrrr", "r" * 21]
    config = replace(CONFIG, thing_margin=0.05, person_margin=0.15, max_hole_area=0.0)
    found = surface(scene(*rows, classes={2: PERSON}), config)
    assert found[8] == "###...#######.......#"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [("", "....####"), ("sky=1", "########"), ("sky=0.5", "....####")],
    ids=["not asked for", "in full", "too weak"],
)
def test_optional_classes_count_by_their_weight(entry: str, expected: str) -> None:
    config = replace(CONFIG, optional_classes=(entry,), min_confidence=0.5)
    assert surface(scene("ssssrrrr", "ssssrrrr"), config) == [expected] * 2


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("grass=0.5", "no class 'grass'"),
        ("sky", "needs a class and a weight"),
        ("sky=much", "needs a class and a weight"),
        ("sky=1.5", "needs a class and a weight"),
        ("car=0.5", "car is a thing of label set .*, and things are never drivable"),
    ],
)
def test_a_wrong_optional_class_is_told(entry: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"^drivable.optional_classes has .*{words}"):
        DrivableFilter(LABELS, replace(CONFIG, optional_classes=(entry,)))


def test_the_class_that_ends_the_free_space_is_told() -> None:
    frame = scene("srr.1", "rrrr1", "rrrrr", "rrrrr")
    found = find_drivable(frame, LABELS, CONFIG)
    assert found.boundary.tolist() == [0, -1, -1, 0, 1]
    assert found.ends.tolist() == [SKY, VOID, VOID, VOID, CAR]


def test_a_thing_ends_the_free_space_of_its_margin() -> None:
    rows = ["r" * 21] * 18 + ["r" * 10 + "1" + "r" * 10] + ["r" * 21] * 3
    found = find_drivable(scene(*rows), LABELS, replace(CONFIG, thing_margin=0.1))
    assert found.boundary[10] == 20
    assert found.ends[10] == CAR


@pytest.mark.parametrize(("level", "is_surface"), [(153, True), (152, False)])
def test_the_least_probability_of_surface_is_surface(level: int, is_surface: bool) -> None:
    frame = scene("rr", "rr")
    confidence = np.array([[level, 255], [255, 255]], np.uint8)
    found = find_drivable(
        Panoptic(frame.labels, frame.ids, confidence, frame.segments),
        LABELS,
        DrivableConfig(min_confidence=0.6, max_hole_area=0.0, ego_width=1.0),
    )
    assert bool(found.mask[0, 0]) is is_surface


@pytest.mark.parametrize(("share", "is_closed"), [(3 / 28, True), (2.9 / 28, False)])
def test_the_largest_hole_that_is_closed_is_closed(share: float, is_closed: bool) -> None:
    rows = ["rrrrrrr", "rrsssrr", "rrrrrrr", "rrrrrrr"]
    seen = surface(scene(*rows), replace(CONFIG, max_hole_area=share))
    assert seen[1] == ("#######" if is_closed else "##...##")
