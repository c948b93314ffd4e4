# SPDX-License-Identifier: Apache-2.0
"""What it gains to publish a result while the network computes the next frame (``overlap``).

Run from the root: python -m benchmarks.overlap [--engine street_fast] [--network-ms 0]
    [--rate 0] [--seconds 5] [--rounds 4]

The node's worker with and without a sender beside it, by turns, on a drawn street of 1280x720.
Messages of all standard topics are built and serialised, which is what publishing costs here.
``--network-ms`` takes a network that waits for so long without the CPU, as one on a GPU does.
``--rate 0`` offers the next image as soon as one is taken: the most frames a second that go. The
first round warms up.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from rclpy.serialization import serialize_message

from panoptic_ros.core.allocation import keep_freed_memory
from panoptic_ros.core.mailbox import Mailbox
from panoptic_ros.core.model import Engine
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.core.types import Heads
from panoptic_ros.engine.open import open_engine
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.convert import image_message
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.messages.topics import build_messages
from panoptic_ros.report.timing import TOPICS
from panoptic_ros.ros.sender import Sender
from panoptic_ros.ros.worker import Worker

SIZE, IMAGES = (1280, 720), 30
TYPES = rclpy_types()


def main() -> None:
    """Measure by turns, and print one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="street_fast")
    parser.add_argument("--network-ms", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    keep_freed_memory()
    cv2.setNumThreads(1)
    messages = list(_images())
    runs: dict[bool, list[_Run]] = {False: [], True: []}
    with open_engine(args.engine, runtime="onnxruntime") as network:
        engine = _Waiting(network, args.network_ms) if args.network_ms else network
        for _ in range(args.rounds):
            for overlaps, done in runs.items():
                done.append(_run(engine, messages, overlaps, args))
    for overlaps, done in runs.items():
        times = np.concatenate([run.latency_ms for run in done[1:] or done])
        p50, p95, p99 = np.percentile(times, (50, 95, 99))
        rate = np.median([len(run.latency_ms) / run.seconds for run in done[1:] or done])
        cpu = np.median([run.cpu_s / len(run.latency_ms) * 1e3 for run in done[1:] or done])
        print(
            f"overlap {overlaps!s:<6}{rate:7.1f} frames/s  latency ms p50 {p50:.1f} p95 {p95:.1f} "
            f"p99 {p99:.1f}  CPU {cpu:.1f} ms a frame"
        )


class _Run:
    """What was measured; latency is from an image's offer to its last message."""

    def __init__(self) -> None:
        self.latency_ms: list[float] = []
        self.seconds = self.cpu_s = 0.0


class _Waiting:
    """A network that says what another one said at first, after a while without the CPU."""

    def __init__(self, network: Engine, wait_ms: float) -> None:
        self.spec, self.description, self.input = network.spec, network.description, network.input
        self._heads = network.infer(network.input)
        self._wait_s = wait_ms / 1e3

    def infer(self, image: Any) -> Heads:
        time.sleep(self._wait_s)
        return self._heads


def _images() -> Iterator[Any]:
    for _, (frame, _) in zip(range(IMAGES), DrawnStreet(size=SIZE), strict=False):
        stamp = TYPES.make("builtin_interfaces/msg/Time", sec=1, nanosec=0)
        header = TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id="camera")
        yield image_message(np.ascontiguousarray(frame.image), "rgb8", TYPES, header)


def _run(engine: Any, messages: list[Any], overlaps: bool, args: argparse.Namespace) -> _Run:
    """Offer images for some seconds."""
    run, offered = _Run(), dict[int, float]()
    taken, published = threading.Semaphore(0), threading.Semaphore(0)

    def send(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        made = build_messages(TOPICS, FrameContext(result, TYPES, header))
        for message in made.values():
            serialize_message(message)
        run.latency_ms.append((time.perf_counter() - offered[result.frame.stamp_ns]) * 1e3)
        published.release()
        return {}

    with _working(engine, overlaps, send, taken.release) as mailbox:
        start, cpu, number = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - start < args.seconds:
            number += 1
            stamp_ns = 10**9 + number * 40_000_000
            message = _with_stamp(messages[number % len(messages)], stamp_ns)
            offered[stamp_ns] = time.perf_counter()
            mailbox.put("camera", message)
            if args.rate:
                time.sleep(max(0.0, start + number / args.rate - time.perf_counter()))
            else:
                taken.acquire()
        for _ in range(number - mailbox.drops("camera")):
            published.acquire()
        run.seconds, run.cpu_s = time.perf_counter() - start, time.process_time() - cpu
    return run


def _with_stamp(message: Any, stamp_ns: int) -> Any:
    """Give a message a header of its own."""
    stamp = TYPES.make(
        "builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    header = TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id="camera")
    return SimpleNamespace(
        header=header,
        height=message.height,
        width=message.width,
        step=message.step,
        encoding=message.encoding,
        is_bigendian=message.is_bigendian,
        data=message.data,
    )


@contextmanager
def _working(
    engine: Any, overlaps: bool, send: Any, note: Callable[[], None]
) -> Iterator[Mailbox[Any]]:
    """Run the node's worker with one camera that publishes nowhere."""
    pipeline, mailbox, config = Pipeline(engine), Mailbox[Any](), NodeConfig()
    nothing = lambda *values: None  # noqa: E731
    stream = SimpleNamespace(
        name="camera",
        state=pipeline.new_state(),
        publisher=SimpleNamespace(send=send),
        clock=SimpleNamespace(timed=lambda frame: frame, age_ms=lambda stamp_ns: 0.0),
        # The worker looks at an image when it has taken it.
        dark_warning=SimpleNamespace(look=lambda *values: note()),
        statistics=SimpleNamespace(
            publish=nothing, refuse=nothing, come_late=nothing, jump_back=nothing
        ),
    )
    worker = Worker(
        SimpleNamespace(warning=lambda *words, **when: None),  # type: ignore[arg-type]
        mailbox,
        pipeline,
        {"camera": stream},  # type: ignore[dict-item]
        lambda: config,
        sender=Sender() if overlaps else None,
    )
    worker.start()
    yield mailbox
    worker.stop(10.0)
    if worker.failure is not None:
        raise worker.failure


if __name__ == "__main__":
    main()
