# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest

from panoptic_ros.core.timing import stage_clock
from panoptic_ros.core.timing.percentiles import percentiles
from panoptic_ros.core.timing.stage_clock import StageClock


@pytest.fixture(autouse=True)
def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by 1, 2, 4, 8 ... s from one reading to the next."""
    readings: Iterator[float] = iter([0.0, 1.0, 3.0, 7.0, 15.0, 31.0])
    monkeypatch.setattr(stage_clock.time, "perf_counter", lambda: next(readings))


def test_a_lap_is_the_time_since_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StageClock(_last_s=stage_clock.time.perf_counter())
    assert clock.mark("resize") == 1000.0
    assert clock.mark("infer") == 2000.0
    assert clock.stages_ms == {"resize": 1000.0, "infer": 2000.0}


def test_a_shared_stage_counts_for_each_and_the_next_begins_behind_it() -> None:
    own = StageClock(_last_s=stage_clock.time.perf_counter())
    own.mark("resize")
    shared = StageClock(_last_s=1.0)
    shared.mark("infer")
    own.follow(shared)
    own.mark("decode")
    assert own.stages_ms == {"resize": 1000.0, "infer": 2000.0, "decode": 8000.0}


def test_percentiles_of_nothing_are_zero() -> None:
    assert percentiles([]) == {"p50": 0.0, "p95": 0.0, "p99": 0.0}
