# SPDX-License-Identifier: Apache-2.0
"""Times out of stamps, and losses out of sequence numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.types import Frame
from panoptic_ros.ros.camera.loss_counter import LossCounter
from panoptic_ros.ros.camera.stamps import StampClock

WALL = 1_700_000_000_000_000_000


def frame(stamp_ns: int) -> Frame:
    return Frame(np.zeros((1, 1, 3), np.uint8), stamp_ns, "front_optical")


def test_a_stamp_is_left_as_it_is() -> None:
    warnings: list[str] = []
    image = frame(5)
    assert StampClock("front", lambda: 99, warnings.append).timed(image) is image
    assert warnings == []


def test_without_a_stamp_the_nodes_time_serves_and_that_is_said_once_per_camera() -> None:
    warnings: list[str] = []
    times = iter((10, 20, 30))
    clocks = {
        name: StampClock(name, lambda: next(times), warnings.append) for name in ("front", "rear")
    }
    cameras = ("front", "front", "front", "rear", "rear")
    timed = [clocks[camera].timed(frame(0)) for camera in cameras]
    assert [entry.stamp_ns for entry in timed] == [0, 10, 20, 0, 30]
    assert timed[1].frame_id == "front_optical"
    assert [line.split(":")[0] for line in warnings] == ["front", "rear"]


@pytest.mark.parametrize(
    ("stamps", "timed"),
    [
        ([0, 3, 7], [0, 3, 7]),
        ([0, 3, 0, 3], [0, 3, 0, 3]),
        ([WALL, 0, WALL + 2], [WALL, 99, WALL + 2]),
        ([0, 0, 3], [0, 99, 3]),
    ],
    ids=["a simulation", "a video that loops", "a driver that forgets one", "a paused simulation"],
)
def test_zero_is_a_time_where_time_begins_with_it(stamps: list[int], timed: list[int]) -> None:
    clock = StampClock("front", lambda: 99, lambda words: None)
    assert [clock.timed(frame(stamp_ns)).stamp_ns for stamp_ns in stamps] == timed


def info(publisher: str, number: int | None) -> dict[str, Any]:
    return {"publisher_gid": {"data": publisher.encode()}, "publication_sequence_number": number}


def unsigned(*numbers: int) -> list[dict[str, Any]]:
    """What rclpy of Jazzy tells: numbers without their publisher."""
    return [{"publication_sequence_number": number} for number in numbers]


@pytest.mark.parametrize(
    ("infos", "publishers", "lost"),
    [
        ([info("a", 7), info("a", 8), info("a", 12)], 1, [0, 0, 3]),
        ([info("a", 900), info("b", 3), info("a", 901), info("b", 5)], 2, [0, 0, 0, 1]),
        ([info("a", 900), info("a", 1), info("a", 2)], 1, [0, 0, 0]),
        ([info("a", None), {}, {}], 1, [0, 0, 0]),
        (unsigned(7, 8, 12), 1, [0, 0, 3]),
        (unsigned(7, 900, 9), 2, [0, 0, 0]),
        (unsigned(7, 9), 0, [0, 0]),
        ([info("a", 100), info("a", 85), info("a", 101)], 1, [0, 0, 0]),
        ([info("a", 100), info("a", 84), info("a", 101)], 1, [0, 0, 16]),
    ],
    ids=[
        "gap",
        "two publishers",
        "restart",
        "humble",
        "jazzy",
        "jazzy, two publishers",
        "jazzy, before the first look",
        "15 late",
        "16 before is a restart",
    ],
)
def test_gaps_are_counted_where_the_middleware_tells(
    infos: list[dict[str, Any]], publishers: int, lost: list[int]
) -> None:
    read_errors = LossCounter()
    assert [read_errors.lost_before(entry, publishers) for entry in infos] == lost
