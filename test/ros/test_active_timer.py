# SPDX-License-Identifier: Apache-2.0
"""Work that lasts too long is told from a process that was stopped."""

from __future__ import annotations

import pytest

from panoptic_ros.ros.active_timer import ActiveTimer

PERIOD_S = 0.5


class DrawnClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def waited(gaps_s: list[float], began: list[float | None]) -> list[float]:
    """What is said at each look, after each gap."""
    clock = DrawnClock()
    timer = ActiveTimer(PERIOD_S, clock)
    said = []
    for gap_s, began_s in zip(gaps_s, began, strict=True):
        clock.now_s += gap_s
        said.append(round(timer.waited_s(began_s), 6))
    return said


@pytest.mark.parametrize(
    ("gaps_s", "began", "expected"),
    [
        ([0.5, 0.5, 0.5], [100.2, 100.2, 100.2], [0.3, 0.8, 1.3]),
        ([0.5, 90.0, 0.5], [100.2, 100.2, 100.2], [0.3, 1.3, 1.8]),
        ([0.5, 0.5, 0.5], [100.2, 100.7, 101.2], [0.3, 0.3, 0.3]),
        ([0.5, 0.5, 0.5], [100.2, None, 101.4], [0.3, 0.0, 0.1]),
    ],
    ids=["one inference hangs", "the process was stopped", "each look another", "a pause"],
)
def test_only_time_that_was_watched_counts(
    gaps_s: list[float], began: list[float | None], expected: list[float]
) -> None:
    assert waited(gaps_s, began) == expected


@pytest.mark.parametrize(
    ("limit_s", "overdue_s"), [(1.0, 1.25), (1.25, 0.0), (1.5, 0.0), (0.0, 0.0)]
)
def test_work_is_overdue_that_takes_longer_than_it_may_and_none_is_without_a_limit(
    limit_s: float, overdue_s: float
) -> None:
    clock = DrawnClock()
    timer = ActiveTimer(PERIOD_S, clock)
    said = 0.0
    for _ in range(3):
        clock.now_s += PERIOD_S
        said = timer.overdue_s(100.25, limit_s)
    assert said == overdue_s
