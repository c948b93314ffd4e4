# SPDX-License-Identifier: Apache-2.0
"""Images become results in order, whether they are published beside the worker or by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.result import Result
from panoptic_ros.ros.sender import Sender
from panoptic_ros.ros.trace_file import TraceFile
from panoptic_ros.ros.worker import Worker
from test.drawn.drawn_worker import Camera, Send, at_work

MAKERS = [pytest.param(Sender, id="overlap"), pytest.param(lambda: None, id="in turn")]


@contextmanager
def working(
    make_sender: Callable[[], Sender | None],
    send: Send,
    overlaps: Callable[[Any], bool] | None = None,
    trace: TraceFile | None = None,
) -> Iterator[tuple[Worker, Camera, Callable[[float], None]]]:
    with at_work(send, make_sender(), overlaps, trace) as scene:
        yield scene.worker, scene.cameras["camera"], scene.shoot


@pytest.mark.parametrize("make_sender", MAKERS)
def test_every_image_goes_out_in_order_under_its_own_header(make_sender: Any) -> None:
    heard: list[tuple[int, str]] = []

    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        heard.append((result.frame.stamp_ns, header.frame_id))
        return {}

    with working(make_sender, send) as (worker, camera, shoot):
        for number in range(1, 9):
            shoot(number / 4)
    assert worker.failure is None
    assert heard == [(number * 250_000_000, f"at {number / 4}") for number in range(1, 9)]
    assert camera.counted == ["published"] * 8


@pytest.mark.parametrize("make_sender", MAKERS)
def test_late_images_and_jumps_count_while_an_earlier_result_goes_out(make_sender: Any) -> None:
    heard: list[int] = []

    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        heard.append(header.stamp.sec)
        return {}

    with working(make_sender, send) as (_, camera, shoot):
        for second in (20, 21, 20.8, 5, 6):
            shoot(second)
    assert heard == [20, 21, 5, 6]
    assert sorted(camera.counted) == ["jump", "late", *["published"] * 4]


@pytest.mark.parametrize("make_sender", MAKERS)
def test_what_fails_while_a_result_goes_out_is_said_without_another_image(
    make_sender: Any,
) -> None:
    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        raise ValueError("no such topic")

    with working(make_sender, send) as (worker, _, shoot):
        shoot(1.0)
    assert isinstance(worker.failure, ValueError)


def test_results_stay_in_order_when_an_engine_takes_over_that_overlaps_or_does_not() -> None:
    heard: list[tuple[int, str]] = []
    answers = iter([True, False, True, True, False, False])

    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        time.sleep(0.01)
        heard.append((header.stamp.sec, threading.current_thread().name))
        return {}

    with working(Sender, send, lambda engine: next(answers)) as (worker, _, shoot):
        for second in range(1, 7):
            shoot(second)
    assert worker.failure is None
    beside, itself = "panoptic_sender", "panoptic_worker"
    assert heard == list(enumerate([beside, itself, beside, beside, itself, itself], start=1))


def test_the_next_image_is_taken_while_a_result_goes_out() -> None:
    may_go = threading.Event()

    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        assert may_go.wait(60.0)
        return {}

    with working(Sender, send) as (worker, camera, shoot):
        shoot(1.0)
        shoot(2.0)
        assert camera.counted == []
        may_go.set()
    assert worker.failure is None
    assert camera.counted == ["published"] * 2


def test_an_engine_that_does_not_overlap_waits_for_the_result_before() -> None:
    heard: list[int] = []
    answers, second_is_out = iter([True, False]), threading.Event()

    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        if header.stamp.sec == 1:
            second_is_out.wait(0.5)
        else:
            second_is_out.set()
        heard.append(header.stamp.sec)
        return {}

    with working(Sender, send, lambda engine: next(answers)) as (_, _, shoot):
        shoot(1)
        shoot(2)
    assert heard == [1, 2]
