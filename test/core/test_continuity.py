# SPDX-License-Identifier: Apache-2.0
"""Which frames go on from the one before: decided by stamps and map sizes alone."""

from __future__ import annotations

import pytest

from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.continuity import Arrival, Continuity
from panoptic_ros.core.errors import LateFrameError

MAP = (4, 8)
START_NS = 10_000_000_000
CONFIG = TrackConfig(reset_gap_s=3.0, max_late_s=0.5)
HALF_NS = 500_000_000


def arrivals(continuity: Continuity, *stamps_ns: int) -> list[Arrival]:
    return [continuity.update(stamp_ns, MAP) for stamp_ns in stamps_ns]


def after_one_frame() -> Continuity:
    continuity = Continuity(CONFIG)
    assert continuity.update(START_NS, MAP) is Arrival.START
    return continuity


@pytest.mark.parametrize(
    ("step_ns", "arrival"),
    [
        (0, Arrival.NEXT),
        (1, Arrival.NEXT),
        (3_000_000_000, Arrival.NEXT),
        (3_000_000_001, Arrival.GAP),
        (-HALF_NS - 1, Arrival.JUMP_BACK),
        (-5_000_000_000, Arrival.JUMP_BACK),
    ],
    ids=["same stamp", "a nanosecond", "the longest gap", "a longer gap", "back", "far back"],
)
def test_a_step_of_time_is_judged_by_its_length(step_ns: int, arrival: Arrival) -> None:
    assert after_one_frame().update(START_NS + step_ns, MAP) is arrival


@pytest.mark.parametrize("back_ns", [1, 5_000_000, 120_000_000, HALF_NS])
def test_a_stamp_a_little_back_is_late_and_changes_nothing(back_ns: int) -> None:
    continuity = after_one_frame()
    for judge in (continuity.check, lambda stamp_ns: continuity.update(stamp_ns, MAP)):
        with pytest.raises(LateFrameError, match="before the last one of its camera"):
            judge(START_NS - back_ns)
    assert continuity.arrival is Arrival.START
    with pytest.raises(LateFrameError):
        continuity.check(START_NS - 1)
    assert continuity.update(START_NS, MAP) is Arrival.NEXT


def test_where_no_frame_may_be_late_every_step_back_is_another_recording() -> None:
    continuity = Continuity(TrackConfig(max_late_s=0.0))
    seen = arrivals(continuity, START_NS, START_NS - 1, START_NS)
    assert seen == [Arrival.START, Arrival.JUMP_BACK, Arrival.NEXT]


def test_after_a_reset_no_frame_is_late() -> None:
    continuity = after_one_frame()
    continuity.reset()
    seen = arrivals(continuity, START_NS - 1, START_NS)
    assert seen == [Arrival.START, Arrival.NEXT]


def test_a_map_of_another_size_is_another_stream_once() -> None:
    continuity = after_one_frame()
    assert continuity.update(START_NS + 1, (5, 8)) is Arrival.OTHER_SIZE
    assert continuity.update(START_NS + 2, (5, 8)) is Arrival.NEXT


def test_after_one_jump_back_frames_go_on_from_each_other_again() -> None:
    back_ns = START_NS - 5_000_000_000
    seen = arrivals(after_one_frame(), back_ns, back_ns + 1, back_ns + 2)
    assert seen == [Arrival.JUMP_BACK, Arrival.NEXT, Arrival.NEXT]


def test_after_one_gap_frames_go_on_from_each_other_again() -> None:
    far_ns = START_NS + 5_000_000_000
    seen = arrivals(after_one_frame(), far_ns, far_ns + 1)
    assert seen == [Arrival.GAP, Arrival.NEXT]


def test_a_reset_starts_anew_with_the_next_frame_only() -> None:
    continuity = after_one_frame()
    continuity.reset()
    seen = arrivals(continuity, START_NS + 1, START_NS + 2)
    assert seen == [Arrival.START, Arrival.NEXT]


def test_a_jump_back_after_a_reset_is_still_told() -> None:
    continuity = after_one_frame()
    continuity.reset()
    assert continuity.update(START_NS - 5_000_000_000, MAP) is Arrival.JUMP_BACK


def test_stamp_zero_is_a_time_like_any_other() -> None:
    assert arrivals(Continuity(CONFIG), 0, 1) == [Arrival.START, Arrival.NEXT]


def test_other_limits_count_from_the_next_frame() -> None:
    continuity = after_one_frame()
    continuity.configure(TrackConfig(reset_gap_s=0.5))
    assert continuity.update(START_NS + 600_000_000, MAP) is Arrival.GAP


def test_the_last_arrival_is_remembered_and_only_the_next_one_goes_on() -> None:
    continuity = after_one_frame()
    assert continuity.arrival is Arrival.START
    assert continuity.update(START_NS + 1, MAP) is continuity.arrival is Arrival.NEXT
    going_on = [arrival for arrival in Arrival if not arrival.is_new_stream]
    assert going_on == [Arrival.NEXT]


def test_cameras_are_judged_apart() -> None:
    front, rear = Continuity(CONFIG), Continuity(CONFIG)
    seen = [front.update(5, MAP), rear.update(3, MAP), front.update(5, MAP), rear.update(4, MAP)]
    assert seen == [Arrival.START, Arrival.START, Arrival.NEXT, Arrival.NEXT]
