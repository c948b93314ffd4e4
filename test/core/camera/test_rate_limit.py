# SPDX-License-Identifier: Apache-2.0
"""Images are thinned out evenly, whatever the camera's rate and the jitter of its stamps."""

from __future__ import annotations

import random

import pytest

from panoptic_ros.core.camera.rate_limit import RateLimit

SECOND = 1_000_000_000


def taken(rate_hz: float, stamps: list[int]) -> list[int]:
    limit = RateLimit(rate_hz)
    return [stamp for stamp in stamps if limit.admits(stamp)]


def stamps(rate_hz: float, seconds: float, jitter: float = 0.0) -> list[int]:
    draw = random.Random(0)
    period = SECOND / rate_hz
    count = round(seconds * rate_hz)
    return [round(period * (n + jitter * draw.uniform(-1, 1))) + SECOND for n in range(count)]


@pytest.mark.parametrize("camera_hz", [10.0, 25.0, 29.97, 30.0, 60.0])
@pytest.mark.parametrize("jitter", [0.0, 0.05])
@pytest.mark.parametrize("rate_hz", [3.0, 7.0, 10.0])
def test_the_rate_is_kept_and_used(camera_hz: float, jitter: float, rate_hz: float) -> None:
    count = len(taken(rate_hz, stamps(camera_hz, 20.0, jitter)))
    assert 0.95 * rate_hz * 20 <= count <= 1.01 * rate_hz * 20 + 1


def test_a_limit_above_the_cameras_rate_leaves_nothing_out() -> None:
    sent = stamps(10.0, 10.0, 0.05)
    assert taken(30.0, sent) == sent


@pytest.mark.parametrize(("early_ns", "count"), [(10_000_000, 2), (10_000_001, 1)])
def test_an_image_may_come_early_by_a_tenth_of_a_period(early_ns: int, count: int) -> None:
    assert len(taken(10.0, [SECOND, SECOND + 100_000_000 - early_ns])) == count


def test_no_limit_takes_all() -> None:
    sent = stamps(30.0, 2.0)
    assert taken(0.0, sent) == sent


def test_a_jump_back_starts_anew() -> None:
    first, again = stamps(10.0, 1.8), stamps(10.0, 1.8)
    limit = RateLimit(1.0)
    counts = [sum(map(limit.admits, part)) for part in (first, again)]
    assert counts == [2, 2]


def test_after_a_gap_nothing_is_made_up_for() -> None:
    early = stamps(10.0, 1.0)
    late = [stamp + 60 * SECOND for stamp in stamps(10.0, 1.0)]
    assert len(taken(5.0, early + late)) <= 11
