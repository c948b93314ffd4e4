# SPDX-License-Identifier: Apache-2.0
"""Images become results in order, whether they are published beside the worker or by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("rclpy")

from panoptic_ros.core.mailbox import Mailbox
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.ros.sender import Sender
from panoptic_ros.ros.trace_file import TraceFile
from panoptic_ros.ros.worker import Worker

Send = Callable[[Result, Any, NodeConfig], dict[str, float]]
MAKERS = [pytest.param(Sender, id="overlap"), pytest.param(lambda: None, id="in turn")]


class Camera:
    """A camera's stream that counts and publishes nowhere."""

    name = "camera"

    def __init__(self, pipeline: Pipeline, send: Send) -> None:
        self.counted: list[str] = []
        self.state = pipeline.new_state()
        self.publisher = SimpleNamespace(send=send)
        self.clock = SimpleNamespace(timed=lambda frame: frame, age_ms=lambda stamp_ns: 0.0)
        self.taken = threading.Semaphore(0)
        self.dark_warning = SimpleNamespace(look=lambda *values: self.taken.release())
        self.statistics = SimpleNamespace(
            publish=lambda *values: self.counted.append("published"),
            come_late=lambda: self.counted.append("late"),
            jump_back=lambda: self.counted.append("jump"),
        )


def image(second: float, pixels: NDArray[np.uint8] | None = None) -> Any:
    pixels = np.full((48, 64, 3), 90, np.uint8) if pixels is None else pixels
    height, width, _ = pixels.shape
    stamp = SimpleNamespace(sec=int(second), nanosec=round(second % 1 * 1e9))
    return SimpleNamespace(
        header=SimpleNamespace(stamp=stamp, frame_id=f"at {second}"),
        height=height,
        width=width,
        step=3 * width,
        encoding="rgb8",
        is_bigendian=0,
        data=pixels.ravel(),
    )


@contextmanager
def working(
    make_sender: Callable[[], Sender | None],
    send: Send,
    overlaps: Callable[[Any], bool] = lambda engine: True,
    trace: TraceFile | None = None,
    pixels: NDArray[np.uint8] | None = None,
) -> Iterator[tuple[Worker, Camera, Callable[[float], None]]]:
    pipeline, mailbox = Pipeline(DrawnEngine()), Mailbox[Any]()
    camera, config = Camera(pipeline, send), NodeConfig()
    worker = Worker(
        SimpleNamespace(warning=lambda *words, **when: None),  # type: ignore[arg-type]
        mailbox,
        pipeline,
        {"camera": camera},  # type: ignore[dict-item]
        lambda: config,
        sender=make_sender(),
        overlaps=overlaps,
        trace=trace,
    )

    def shoot(second: float) -> None:
        mailbox.put("camera", image(second, pixels))
        assert camera.taken.acquire(timeout=10.0)

    worker.start()
    yield worker, camera, shoot
    assert worker.stop(10.0)


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
        assert may_go.wait(10.0)
        return {}

    with working(Sender, send) as (worker, camera, shoot):
        shoot(1.0)
        shoot(2.0)
        assert camera.counted == []
        may_go.set()
    assert worker.failure is None
    assert camera.counted == ["published"] * 2


def test_tracks_are_forgotten_once_for_each_time_it_is_asked() -> None:
    ids: list[set[int]] = []

    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        ids.append({track.id for track in result.tracks})
        return {}

    frame, _ = next(iter(DrawnStreet(size=(512, 256))))
    with working(lambda: None, send, pixels=frame.image) as (worker, _, shoot):
        for second in range(1, 7):
            if second in (3, 5):
                worker.forget_tracks()
            shoot(second / 10)
    first, stays, fresh, stays_too, last, stays_at_last = ids
    assert first
    assert (stays, stays_too, stays_at_last) == (first, fresh, last)
    assert not first & fresh
    assert not fresh & last
