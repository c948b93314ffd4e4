# SPDX-License-Identifier: Apache-2.0
"""Void is published at its time for every silence of a camera, and every silence is told once."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from panoptic_ros.messages.protocols import Stamp
from panoptic_ros.ros.camera.statistics import CameraStatistics
from panoptic_ros.ros.camera.watchdog import PERIOD_S, Watchdog
from panoptic_ros.ros.parameters import NodeConfig

VOID_AFTER_S = 2.0
CONFIG = NodeConfig(stale_after_s=VOID_AFTER_S, stale_action="void")


@dataclass
class DrawnPublisher:
    """A camera's topics, and when void went out on them."""

    has_results: bool = True
    is_busy: bool = False
    since_s: float = 0.0
    now_s: float = 0.0
    voids_s: list[float] = field(default_factory=list)

    def publish_void(self, stamp: Stamp, silence_s: float, config: NodeConfig) -> bool:
        if self.is_busy or not self.has_results or self.now_s - self.since_s < silence_s:
            return False
        self.voids_s.append(self.now_s)
        return True


class Run:
    """A watchdog that looks every tenth of a second, and what it says."""

    def __init__(self, config: NodeConfig = CONFIG) -> None:
        self.publisher = DrawnPublisher()
        self.statistics = CameraStatistics()
        self.warnings: list[str] = []
        self._config = config
        stamp: Stamp = SimpleNamespace(sec=1, nanosec=0)
        self._watchdog = Watchdog(
            "front",
            self.publisher,
            self.statistics,
            lambda: stamp,
            self.warnings.append,
            lambda: self.publisher.now_s,
        )

    def until(self, now_s: float, has_images: bool = False) -> None:
        while self.publisher.now_s < now_s:
            step = int(self.publisher.now_s / PERIOD_S + 1e-6) + 1
            self.publisher.now_s = round(step * PERIOD_S, 6)
            if has_images:
                self.publisher.since_s = self.publisher.now_s
            self._watchdog.look(self._config)


def test_void_comes_once_per_period_of_one_silence_which_is_told_once() -> None:
    run = Run()
    run.until(7.0)
    assert run.publisher.voids_s == [2.0, 4.0, 6.0]
    assert len(run.warnings) == 1
    assert "front: no result for 2.0 s" in run.warnings[0]
    assert run.statistics.report().total["taken_back"] == 3


def test_a_camera_that_falls_silent_twice_is_told_twice_and_void_comes_at_its_time() -> None:
    run = Run()
    run.until(2.5)
    run.until(3.0, has_images=True)
    run.until(7.5)
    assert run.publisher.voids_s == [2.0, 5.0, 7.0]
    assert len(run.warnings) == 2


def test_a_single_result_between_two_looks_ends_a_silence() -> None:
    run = Run()
    run.until(3.9)
    run.publisher.since_s = 3.9
    run.until(6.5)
    assert run.publisher.voids_s == [2.0, 5.9]
    assert len(run.warnings) == 2


def test_void_comes_with_a_look_that_is_late() -> None:
    run = Run()
    run.until(2.0)
    run.publisher.now_s = 4.35  # the executor was busy
    run.until(7.0)
    assert run.publisher.voids_s == [2.0, 4.4, 6.4]


def test_a_void_that_could_not_go_out_is_tried_again_with_the_next_look() -> None:
    run = Run()
    run.publisher.is_busy = True
    run.until(2.3)
    assert run.warnings == []
    run.publisher.is_busy = False
    run.until(2.5)
    assert run.publisher.voids_s == [2.4]
    assert len(run.warnings) == 1


@pytest.mark.parametrize(
    ("config", "has_results"),
    [(NodeConfig(stale_after_s=VOID_AFTER_S), True), (CONFIG, False)],
    ids=["by default", "before the first result"],
)
def test_nothing_is_made_up(config: NodeConfig, has_results: bool) -> None:
    run = Run(config)
    run.publisher.has_results = has_results
    run.until(5.0)
    assert run.publisher.voids_s == []
    assert run.warnings == []
    assert run.statistics.report().total["taken_back"] == 0
