# SPDX-License-Identifier: Apache-2.0
"""What the surface remembers of the frames before, on drawn streets."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.drivable.filter import DrivableFilter
from panoptic_ros.core.tracking.camera_motion import CameraMotion
from panoptic_ros.core.types import Panoptic
from test.drawn.drawings import LABELS, scene
from test.drawn.follower import Follower

CONFIG = DrivableConfig(max_hole_area=0.05, ego_width=1.0, thing_margin=0.0, person_margin=0.0)
STEP_NS = 40_000_000
ROAD_ROWS = ["rrrrrr"] * 4
WITH_CAR = ["rrrrrr", "rr11rr", "rrrrrr", "rrrrrr"]


def follow(filter_: DrivableFilter, *frames: Panoptic) -> list[bool]:
    """Whether the middle is drivable in frames that follow 40 ms after each other."""
    return [
        bool(filter_.update(frame, (number + 1) * STEP_NS).mask[1, 2])
        for number, frame in enumerate(frames)
    ]


def test_an_obstacle_removes_surface_at_once_and_it_comes_back_later() -> None:
    surface_filter = DrivableFilter(LABELS, replace(CONFIG, memory_s=0.2, max_hole_area=0.0))
    road, car = scene(*ROAD_ROWS), scene(*WITH_CAR)
    seen = follow(surface_filter, road, car, road, road, road, road, road, road)
    assert seen[:4] == [True, False, False, False]
    assert seen[-1]


def test_one_unsure_frame_changes_nothing() -> None:
    surface_filter = DrivableFilter(LABELS, replace(CONFIG, memory_s=0.2, max_hole_area=0.0))
    road, unsure = scene(*ROAD_ROWS), scene("rrrrrr", "rr..rr", "rrrrrr", "rrrrrr")
    assert follow(surface_filter, road, road, unsure, road) == [True] * 4
    assert follow(DrivableFilter(LABELS, replace(CONFIG, memory_s=0.0)), road, unsure) == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("stamp_s", "is_remembered"),
    [(1.04, True), (0.1, False), (9.0, False)],
    ids=["the next frame", "a bag that starts again", "a long gap"],
)
def test_a_break_in_time_forgets_what_was_before(stamp_s: float, is_remembered: bool) -> None:
    follower = Follower(drivable=replace(CONFIG, memory_s=5.0, max_hole_area=0.0))
    follower.surface(scene(*WITH_CAR), 10**9)
    found = follower.surface(scene(*ROAD_ROWS), round(stamp_s * 1e9))
    assert bool(found.mask[1, 2]) is not is_remembered


def test_after_one_jump_back_the_memory_works_again_from_the_second_frame() -> None:
    follower = Follower(drivable=replace(CONFIG, memory_s=5.0, max_hole_area=0.0))
    follower.surface(scene(*ROAD_ROWS), 100 * STEP_NS)
    seen = [
        bool(follower.surface(scene(*rows), number * STEP_NS).mask[1, 2])
        for number, rows in enumerate((WITH_CAR, ROAD_ROWS, ROAD_ROWS), start=1)
    ]
    assert seen == [False, False, False]


def test_a_cut_to_another_scene_forgets_what_was_before() -> None:
    follower = Follower(drivable=replace(CONFIG, memory_s=5.0, max_hole_area=0.0))
    images = np.random.default_rng(0).integers(0, 256, (2, 24, 40)).astype(np.uint8)
    views = [cv2.resize(one, (160, 96), interpolation=cv2.INTER_CUBIC) for one in images]
    follower.surface(scene(*WITH_CAR), STEP_NS, views[0])
    seen = [
        bool(follower.surface(scene(*ROAD_ROWS), number * STEP_NS, view).mask[1, 2])
        for number, view in enumerate((views[0], views[1]), start=2)
    ]
    assert seen == [False, True]


def test_a_reset_or_another_size_forgets_what_was_before() -> None:
    follower = Follower(drivable=replace(CONFIG, memory_s=5.0, max_hole_area=0.0))
    follower.surface(scene(*WITH_CAR), STEP_NS)
    assert follower.surface(scene(*ROAD_ROWS, "rrrrrr"), 2 * STEP_NS).mask.all()
    follower.surface(scene(*WITH_CAR, "rrrrrr"), 3 * STEP_NS)
    follower.state.reset()
    assert follower.surface(scene(*ROAD_ROWS, "rrrrrr"), 4 * STEP_NS).mask.all()


def test_what_is_remembered_moves_with_the_image() -> None:
    surface_filter = DrivableFilter(LABELS, replace(CONFIG, memory_s=5.0, max_hole_area=0.0))
    surface_filter.update(scene("rrrrrr", "r1rrrr", "rrrrrr"), STEP_NS)
    two_right = CameraMotion.of_shift(2.0, 0.0)
    found = surface_filter.update(scene("rrrrrr", "rrrrrr", "rrrrrr"), 2 * STEP_NS, two_right)
    assert found.mask[1].tolist() == [True, True, True, False, True, True]


def test_where_time_stands_still_every_image_counts_for_itself() -> None:
    surface_filter = DrivableFilter(LABELS, replace(CONFIG, memory_s=0.5, max_hole_area=0.0))
    road, car = scene(*ROAD_ROWS), scene(*WITH_CAR)
    unsure = scene("rrrrrr", "rr..rr", "rrrrrr", "rrrrrr")
    frames = (road, unsure, road, car, road)
    seen = [bool(surface_filter.update(frame, 0).mask[1, 2]) for frame in frames]
    assert seen == [True, False, True, False, True]


def test_the_belief_follows_the_seconds_and_not_the_frames() -> None:
    """An unsure place fades alike at 10 and at 100 frames per second."""
    road, unsure = scene(*ROAD_ROWS), scene("rrrrrr", "rr..rr", "rrrrrr", "rrrrrr")
    levels = []
    for step_ns in (100_000_000, 10_000_000):
        surface_filter = DrivableFilter(LABELS, replace(CONFIG, memory_s=0.5))
        surface_filter.update(road, 10**9)
        for stamp_ns in range(10**9 + step_ns, 1_200_000_001, step_ns):
            found = surface_filter.update(unsure, stamp_ns)
        levels.append(int(found.confidence[1, 2]))
    assert levels[0] == pytest.approx(230 * np.exp(-0.4), abs=2)
    assert levels[1] == pytest.approx(levels[0], abs=2)
