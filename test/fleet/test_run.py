# SPDX-License-Identifier: Apache-2.0
"""How far a call is, in one line."""

from __future__ import annotations

import time

import pytest

from panoptic_ros.fleet.bag_report import FAILED, OK, SKIPPED, BagReport
from panoptic_ros.fleet.run import CallProgress


def progress(total: int, *reports: BagReport, seconds: float = 100.0) -> CallProgress:
    found = CallProgress(total)
    for report in reports:
        found.add(report)
    found.started = time.monotonic() - seconds
    return found


def bag(status: str, frames: int = 0) -> BagReport:
    return BagReport("a", "a", status, frames=frames)


def test_the_line_says_what_became_of_bags_and_how_long_the_rest_takes() -> None:
    told = progress(5, bag(OK, 300), bag(FAILED), bag(OK, 200), bag(SKIPPED, 900), seconds=400.0)
    assert told.done == 4
    assert str(told) == (
        "4 of 5 bags (1 failed, 2 ok, 1 skipped), 500 frames, 1.2 frames/s, 0 h 2 min left"
    )


def test_before_the_first_bag_nobody_knows_how_long_it_takes() -> None:
    assert str(progress(1)) == "0 of 1 bag (none yet), 0 frames, 0.0 frames/s"


@pytest.mark.parametrize(
    ("seconds", "left"),
    [(29.0, "29 s"), (31.0, "0 h 1 min"), (3600.0, "1 h 0 min"), (7320.0, "2 h 2 min")],
)
def test_what_is_left_is_in_seconds_below_a_minute_and_else_in_minutes(
    seconds: float, left: str
) -> None:
    assert str(progress(2, bag(OK, 1), seconds=seconds)).endswith(f", {left} left")
