# SPDX-License-Identifier: Apache-2.0
"""The camera's own motion, read from drawn thumbnails."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.tracking.camera_motion import CUT, STILL, UNKNOWN, CameraMotion
from panoptic_ros.core.tracking.ego_motion import EgoMotion, MotionImage, motion_between
from test.drawn.drawings import scene

MAP = (192, 320)
FRAME_NS = 100_000_000


def world(seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).random((160, 240)).astype(np.float32)
    return (cv2.GaussianBlur(noise, (0, 0), 2.0) * 255).astype(np.uint8)


def view(x: int, y: int, seed: int = 0) -> NDArray[np.uint8]:
    return world(seed)[y : y + 96, x : x + 160].copy()


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (5, 0), (-7, 3), (0, -4)])
def test_a_turn_of_the_camera_is_seen_in_map_pixels(dx: int, dy: int) -> None:
    # The window moves to the left, so all that it shows moves to the right.
    motion = motion_between(
        MotionImage.of(view(40, 30)), MotionImage.of(view(40 - dx, 30 - dy)), MAP
    )
    assert motion.is_known
    moved = motion.move(np.array([[60.0, 200.0]]))
    assert moved[0] == pytest.approx([60.0 + 2 * dy, 200.0 + 2 * dx], abs=0.5)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, view(0, 0)),
        (view(0, 0), None),
        (view(0, 0), view(0, 0)[:48]),
        (view(0, 0), view(0, 0, seed=1)),
    ],
    ids=["no image before", "no image", "another size", "another scene"],
)
def test_what_cannot_be_told_is_unknown(
    before: NDArray[np.uint8] | None, now: NDArray[np.uint8] | None
) -> None:
    images = (None if one is None else MotionImage.of(one) for one in (before, now))
    assert motion_between(*images, MAP) == UNKNOWN


def test_the_motion_is_known_from_the_second_frame_of_a_stream_on() -> None:
    ego_motion, frame = EgoMotion(), scene("1" * 16, *["." * 16] * 7)
    assert ego_motion.update(view(40, 30), frame) == UNKNOWN
    motion = ego_motion.update(view(30, 30), frame)
    assert motion.matrix[:, 2] == pytest.approx([1.0, 0.0], abs=0.05)
    assert ego_motion.update(view(30, 30), frame, is_new_stream=True) == UNKNOWN
    assert ego_motion.update(view(30, 30), frame).is_known


def test_another_scene_is_a_cut_and_the_next_frame_goes_on_from_it() -> None:
    ego_motion, frame = EgoMotion(), scene("1" * 16, *["." * 16] * 7)
    ego_motion.update(view(0, 0), frame)
    assert ego_motion.update(view(0, 0, seed=1), frame) == CUT
    assert ego_motion.update(view(0, 0, seed=1), frame).is_known


def test_what_other_sensors_say_is_taken_instead_of_the_image() -> None:
    # Each car stands where the other was; only the motion tells which one it is.
    tracker = Tracker(TrackConfig())
    frames = scene("....1111222233334444...."), scene("11112222333344445555....")
    tracker.update(frames[0], FRAME_NS)
    tracks = tracker.update(frames[1], 2 * FRAME_NS, CameraMotion.of_shift(-4.0, 0.0))
    assert [(track.id, track.segment.id) for track in tracks] == [(n, n) for n in range(1, 6)]


def test_a_still_camera_moves_nothing() -> None:
    points = np.array([[3.0, 4.0], [0.0, 9.5]])
    assert (STILL.move(points) == points).all()


@pytest.mark.parametrize(("height", "half"), [(64, (32, 50)), (63, (63, 100))])
def test_a_large_thumbnail_is_compared_at_half_its_size_first(
    height: int, half: tuple[int, int]
) -> None:
    assert MotionImage.of(np.zeros((height, 100), np.uint8)).half.shape == half
