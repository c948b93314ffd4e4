# SPDX-License-Identifier: Apache-2.0
"""Who is named where a camera gives no result."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera.statistics import CameraStatistics
from panoptic_ros.ros.diagnostics import ERROR, OK, WARN, Silence, camera_status

TYPES = MessageTypes(lambda name: SimpleNamespace, bytes)


class Clock:
    """Time that only the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        watch = SimpleNamespace(monotonic=lambda: self.now_s)
        monkeypatch.setattr("panoptic_ros.ros.camera.statistics.time", watch)


def judged(statistics: CameraStatistics, silent_s: float) -> tuple[bytes, str]:
    report = statistics.report()
    row: Any = camera_status("n: c", report, "/image", Silence(silent_s, 2.0), TYPES)
    return row.level, row.message


def test_a_camera_that_has_not_sent_yet_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    statistics = CameraStatistics()
    clock.now_s += 0.5
    assert judged(statistics, 0.5) == (WARN, "no image yet on /image")
    clock.now_s += 60.0
    assert judged(statistics, 60.5) == (ERROR, "no image yet on /image")


def answered() -> CameraStatistics:
    """A camera whose only image has its result."""
    statistics = CameraStatistics()
    statistics.receive(replaced_another=False)
    statistics.publish(5.0, {}, 0)
    return statistics


@pytest.mark.parametrize(("silent_s", "level"), [(1.75, OK), (2.0, ERROR)])
def test_a_camera_is_silent_from_stale_after_s_on(
    monkeypatch: pytest.MonkeyPatch, silent_s: float, level: bytes
) -> None:
    clock, statistics = Clock(monkeypatch), answered()
    clock.now_s += silent_s
    assert judged(statistics, 0.1)[0] == level


@pytest.mark.parametrize(("silent_s", "level"), [(1.75, WARN), (2.0, ERROR)])
def test_a_camera_that_never_came_is_an_error_from_stale_after_s_on(
    silent_s: float, level: bytes
) -> None:
    assert judged(CameraStatistics(), silent_s) == (level, "no image yet on /image")


def test_a_camera_that_begins_late_does_not_cast_blame_on_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    statistics = CameraStatistics()
    clock.now_s += 60.0
    statistics.receive(replaced_another=False)
    clock.now_s += 0.1
    assert judged(statistics, 60.1) == (WARN, "images have begun to come on /image, no result yet")
    statistics.publish(5.0, {}, 0)
    clock.now_s += 0.1
    assert judged(statistics, 0.1)[0] == OK


def test_a_camera_that_comes_back_after_a_pause_does_not_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, statistics = Clock(monkeypatch), answered()
    clock.now_s += 60.0
    statistics.receive(replaced_another=False)
    clock.now_s += 0.1
    assert judged(statistics, 60.1)[0] == WARN


def test_an_engine_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    statistics = CameraStatistics()
    for _ in range(30):
        statistics.receive(replaced_another=False)
        clock.now_s += 0.1
    level, words = judged(statistics, 3.0)
    assert (level, words) == (
        ERROR,
        "images come, but no result for 3.0 s: the engine has not answered",
    )


@pytest.mark.parametrize(("waiting_s", "level"), [(1.75, WARN), (2.0, ERROR)])
def test_an_engine_is_overdue_from_stale_after_s_on(
    monkeypatch: pytest.MonkeyPatch, waiting_s: float, level: bytes
) -> None:
    clock = Clock(monkeypatch)
    statistics = CameraStatistics()
    statistics.receive(replaced_another=False)
    clock.now_s += waiting_s
    statistics.receive(replaced_another=True)
    assert judged(statistics, 60.0)[0] == level


def test_activated_again_a_camera_has_not_sent_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    statistics = CameraStatistics()
    statistics.receive(replaced_another=False)
    clock.now_s += 60.0
    statistics.begin()
    assert judged(statistics, 0.1) == (WARN, "no image yet on /image")
    assert statistics.report().total["received"] == 1
