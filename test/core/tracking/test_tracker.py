# SPDX-License-Identifier: Apache-2.0
"""Ids on drawn scenes: each string is a frame, each digit an object of that frame."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import cv2
import numpy as np
import pytest

from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.tracking.association import Matches
from panoptic_ros.core.types import Panoptic, Track
from test.drawn.drawings import scene
from test.drawn.follower import FRAME_NS, Follower, track_ids


def test_ids_follow_the_masks_when_the_network_swaps_them(tracker: Tracker) -> None:
    swapped = scene("22..11")
    # Segment 1 of the second frame is the right object: it keeps the right object's id.
    assert track_ids(tracker, scene("11..22"), swapped) == [[1, 2], [2, 1]]


def test_a_track_has_all_of_its_attributes_and_they_stay(tracker: Tracker) -> None:
    for stamp_ns in (0, 40_000_000):
        (track,) = tracker.update(scene("11.."), stamp_ns)
        assert list(vars(track)) == [entry.name for entry in fields(Track)]
        assert replace(track) == track
        with pytest.raises(FrozenInstanceError):
            track.id = 2  # type: ignore[misc]


def test_an_object_that_moves_keeps_its_id(tracker: Tracker) -> None:
    frames = [scene("." * n + "1111" + "." * (8 - n)) for n in range(9)]
    assert track_ids(tracker, *frames) == [[1]] * 9


def test_an_object_that_outruns_its_mask_is_found_by_its_speed(tracker: Tracker) -> None:
    frames = [scene("." * n + "1111" + "." * (36 - n)) for n in (0, 1, 3, 6, 10, 15)]
    assert track_ids(tracker, *frames) == [[1]] * 6


def test_two_objects_that_cross_keep_their_ids(tracker: Tracker) -> None:
    frames = [
        scene("111......222", "............"),
        scene(".111....222.", "............"),
        scene("..111..222..", "............"),
        scene("...111222...", "............"),
    ]
    assert track_ids(tracker, *frames) == [[1, 2]] * 4


def test_one_strong_overlap_outweighs_two_weak_ones(tracker: Tracker) -> None:
    # Object 2 lies over most of the first track and over a little of the second.
    before, after = scene("11111111112222"), scene("112222222222..")
    assert track_ids(tracker, before, after)[1][1] == 1


def test_masks_that_do_not_touch_are_no_overlap_however_low_the_threshold() -> None:
    tracker = Tracker(TrackConfig(min_iou=0.0))
    frames = (scene("11" + "." * 30), scene("." * 30 + "11"))
    assert track_ids(tracker, *frames) == [[1], [2]]


def test_a_lost_object_is_found_again_within_the_time(tracker: Tracker) -> None:
    gone = scene("....")
    frames = [scene("11.."), gone, gone, gone, scene("11..")]
    assert track_ids(tracker, *frames) == [[1], [], [], [], [1]]


def test_after_the_time_the_same_place_is_a_fresh_object() -> None:
    tracker = Tracker(TrackConfig(lost_after_s=0.25))
    frames = [scene("11.."), *[scene("....")] * 4, scene("11..")]
    assert track_ids(tracker, *frames)[-1] == [2]


@pytest.mark.parametrize(("frames_gone", "found"), [(2, 1), (3, 2)], ids=["equal", "longer"])
def test_an_object_may_be_found_again_up_to_the_very_time(frames_gone: int, found: int) -> None:
    tracker = Tracker(TrackConfig(lost_after_s=0.3))
    frames = [scene("11.."), *[scene("....")] * frames_gone, scene("11..")]
    assert track_ids(tracker, *frames)[-1] == [found]


def test_lost_tracks_age_in_seconds_not_in_frames(tracker: Tracker) -> None:
    gone = [scene("....")] * 50
    seen = track_ids(tracker, scene("11.."), *gone, scene("11.."), step_ns=10_000_000)
    assert seen[-1] == [1]


def test_a_weak_object_extends_a_track_but_never_starts_one(tracker: Tracker) -> None:
    weak = {1: 0.1}
    assert track_ids(tracker, scene("11..", scores=weak)) == [[0]]
    frames = (scene("11.."), scene("11..", scores=weak))
    assert track_ids(Tracker(TrackConfig()), *frames) == [[1], [1]]


@pytest.mark.parametrize(("score", "number"), [(0.3, 1), (0.299, 0)], ids=["equal", "below"])
def test_the_least_score_that_starts_a_track_starts_one(score: float, number: int) -> None:
    tracker = Tracker(TrackConfig(birth_score=0.3))
    assert track_ids(tracker, scene("11..", scores={1: score})) == [[number]]


@pytest.mark.parametrize(("gain", "is_taken"), [(0.15, True), (0.149, False)])
def test_the_least_overlap_that_continues_a_track_continues_it(
    gain: float, is_taken: bool
) -> None:
    found = Matches.none(1, 1)
    found.add(np.array([[gain]]), 0.15)
    assert bool(found.taken[0]) is is_taken


def test_the_score_follows_the_segments_slowly(tracker: Tracker) -> None:
    for number, score in enumerate((0.9, 0.4)):
        (track,) = tracker.update(scene("1111", scores={1: score}), (number + 1) * FRAME_NS)
    assert track.score == pytest.approx(0.8 * 0.9 + 0.2 * 0.4)


def test_speed_is_in_map_pixels_per_second(tracker: Tracker) -> None:
    frames = [scene("." * n + "11111111" + "." * (40 - n)) for n in range(0, 40)]
    for number, frame in enumerate(frames):
        tracks = tracker.update(frame, (number + 1) * FRAME_NS)
    assert tracks[0].velocity == (0.0, pytest.approx(10.0, abs=0.5))
    assert tracks[0].age_s == pytest.approx(3.9)


@pytest.mark.parametrize(
    ("step_ns", "frame"),
    [
        (-9 * FRAME_NS, scene("11..")),
        (3_600_000_000_000, scene("11..")),
        (FRAME_NS, scene("11......")),
    ],
    ids=["stamps run backwards", "long gap", "another size"],
)
def test_a_break_starts_fresh_tracks_with_fresh_ids(step_ns: int, frame: Panoptic) -> None:
    follower, start_ns = Follower(), 10 * FRAME_NS
    assert track_ids(follower, scene("11.."), start_ns=start_ns) == [[1]]
    assert track_ids(follower, frame, start_ns=start_ns + step_ns) == [[2]]


def test_after_one_jump_back_ids_stay_from_frame_to_frame_again() -> None:
    follower, moving = Follower(), [scene("." * n + "11" + "." * (8 - n)) for n in range(6)]
    assert track_ids(follower, *moving, start_ns=100 * FRAME_NS) == [[1]] * 6
    assert track_ids(follower, *moving, start_ns=FRAME_NS) == [[2]] * 6


def test_two_frames_with_the_same_stamp_are_one_moment(tracker: Tracker) -> None:
    assert track_ids(tracker, scene("11.."), scene("11.."), step_ns=0) == [[1], [1]]


def test_stamps_a_microsecond_apart_give_no_absurd_speed(tracker: Tracker) -> None:
    tracker.update(scene("1111...."), FRAME_NS)
    tracks = tracker.update(scene(".1111..."), FRAME_NS + 1_000)
    assert abs(tracks[0].velocity[1]) < 100.0


def test_where_time_stands_still_lost_tracks_do_not_pile_up(tracker: Tracker) -> None:
    for number in range(20):
        tracker.update(scene("." * 8 * number + "11" + "." * 8 * (20 - number)), 0)
        assert len(tracker._memory) <= 2


def test_stamp_zero_is_a_time_like_any_other(tracker: Tracker) -> None:
    assert track_ids(tracker, scene("11.."), scene("11.."), start_ns=0) == [[1], [1]]


def test_a_pan_of_the_camera_does_not_swap_neighbours() -> None:
    follower = Follower()
    rng = np.random.default_rng(0)
    world = (rng.random((24, 80)) * 255).astype(np.uint8)
    row = "." * 20 + "11112222" + "." * 12
    seen = []
    for number in range(4):
        shift = 4 * number
        frame = scene(*[row[20 - shift : 40 - shift]] * 6, scale=2)
        view = world[:, 40 - 2 * shift :][:, :40].copy()
        tracks = follower.objects(frame, (number + 1) * FRAME_NS, view)
        seen.append([track.id for track in tracks])
    assert seen == [[1, 2]] * 4


def test_a_track_says_whether_it_is_new_tracked_or_refound(tracker: Tracker) -> None:
    frames = [scene("11.."), scene("11.."), scene("...."), scene("11.."), scene("11..")]
    states = [
        [track.state for track in tracker.update(frame, (number + 1) * FRAME_NS)]
        for number, frame in enumerate(frames)
    ]
    assert states == [["new"], ["tracked"], [], ["refound"], ["tracked"]]


def test_a_cut_to_another_scene_starts_fresh_tracks() -> None:
    follower = Follower()
    images = np.random.default_rng(0).integers(0, 256, (2, 24, 40)).astype(np.uint8)
    blurred = [cv2.resize(one, (160, 96), interpolation=cv2.INTER_CUBIC) for one in images]
    frame = scene("11..", "....", scale=4)
    seen = [
        [track.id for track in follower.objects(frame, (number + 1) * FRAME_NS, image)]
        for number, image in enumerate([blurred[0], blurred[0], blurred[1], blurred[1]])
    ]
    assert seen == [[1], [1], [2], [2]]


def test_a_dark_camera_is_no_cut() -> None:
    follower, dark, frame = Follower(), np.zeros((96, 160), np.uint8), scene("11..")
    seen = [follower.objects(frame, (number + 1) * FRAME_NS, dark) for number in range(3)]
    assert [[track.id for track in tracks] for tracks in seen] == [[1]] * 3
    assert not follower.motion.is_known
