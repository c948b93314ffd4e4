# SPDX-License-Identifier: Apache-2.0
"""A process that writes what a node publishes to a bag, for machines without ``ros2 bag``."""

from __future__ import annotations

import argparse
import queue
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from panoptic_ros.core.errors import DataError, PanopticError
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.messages.topics import is_latched
from panoptic_ros.recordings.bag_writer import BagWriter
from panoptic_ros.recordings.offered_qos import topic_qos
from panoptic_ros.ros.protocols import SubscribingNode

QUEUE_DEPTH = 256
_SPIN_S = 0.1

Entry = tuple[str, str, bytes, int]


class Recorder:
    """Subscribes to topics and writes their messages, serialised as they came.

    The executor's thread receives, a thread of its own packs and writes, so that the time of
    arrival in the bag is not that of the disk.

    Args:
        node: Owns the subscriptions.
        path: ``.mcap`` file.
        topics: Type by topic; types that are not installed are left out.
        best_effort: Those of them that are not resent where they get lost.
        latched: Those of them whose last messages are for those who come later, too, as all who
            publish them offer it: who asks for that and is offered less gets nothing. None while
            nobody publishes yet: those that the node offers so.
        keeps_unfinished: See ``BagWriter``.

    Attributes:
        failure: Why nothing is written any more.
        counts: Messages that were written, by topic.
        unfinished: What an earlier run had recorded that was killed, None where there is nothing.
    """

    def __init__(
        self,
        node: SubscribingNode,
        path: Path,
        topics: Mapping[str, str],
        best_effort: Collection[str] = (),
        latched: Collection[str] | None = None,
        keeps_unfinished: bool = False,
    ) -> None:
        self.failure: DataError | None = None
        self.counts: Counter[str] = Counter()
        self._writer = BagWriter(path, keeps_unfinished)
        self.unfinished = self._writer.unfinished
        self._queue: queue.Queue[Entry | None] = queue.Queue(QUEUE_DEPTH)
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        if latched is None:
            latched = [topic for topic in topics if is_latched(topic)]
        self._qos = {topic: [topic_qos(topic in latched)] for topic in topics}
        types = rclpy_types()
        for topic, kind in topics.items():
            if types.has(kind):
                qos = _qos(topic in best_effort, topic in latched)
                keep = self._keep(topic, kind)
                node.create_subscription(types.find(kind), topic, keep, qos, raw=True)
        self._thread.start()

    def _keep(self, topic: str, kind: str) -> Any:
        def keep(data: bytes) -> None:
            self._queue.put((topic, kind, data, time.time_ns()))

        return keep

    def _write(self) -> None:
        while (entry := self._queue.get()) is not None:
            # After a failure the queue is still emptied: the executor must never block on it.
            if self.failure is None:
                self._write_one(*entry)

    def _write_one(self, topic: str, kind: str, data: bytes, time_ns: int) -> None:
        try:
            self._writer.write_raw(topic, kind, data, time_ns, self._qos[topic])
            self.counts[topic] += 1
        except Exception as error:  # a dead thread would leave the queue full and block ROS
            self.failure = DataError(f"recording stopped: {error or type(error).__name__}")

    def close(self) -> None:
        """Write what has come, then finish the bag.

        Raises:
            DataError: Something could not be written.
        """
        self._queue.put(None)
        self._thread.join()
        if self.failure is not None:
            raise DataError(f"{self.failure}; what was written before is {self._writer.part}")
        self._writer.close()


def _qos(is_best_effort: bool, is_latched: bool) -> QoSProfile:
    profile = QoSProfile(depth=QUEUE_DEPTH if is_latched else 20)
    if is_best_effort:
        profile.reliability = ReliabilityPolicy.BEST_EFFORT
    if is_latched:
        profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
    return profile


def main(arguments: Sequence[str] | None = None) -> int:
    """Record ``TOPIC=TYPE ...`` to ``--out`` until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("topics", nargs="+", metavar="TOPIC=TYPE")
    args = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("panoptic_recorder")
    try:
        recorder = Recorder(node, args.out, dict(word.split("=", 1) for word in args.topics))
        _spin(node, stop)
        recorder.close()
    except PanopticError as error:
        print(f"recorder: {error}", file=sys.stderr)  # noqa: T201
        return 2
    finally:
        node.destroy_node()
        rclpy.shutdown()
    return 0


def _spin(node: Any, stop: threading.Event) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not stop.is_set():
        executor.spin_once(timeout_sec=_SPIN_S)


if __name__ == "__main__":
    sys.exit(main())
