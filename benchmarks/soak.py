# SPDX-License-Identifier: Apache-2.0
"""Run the node for long and watch what it takes: memory, threads, files, results, latency.

Player, node and watcher are three processes that meet over DDS as on a robot. Two cameras play a
drawn street in a loop; the node runs a real network. Usage::

    python benchmarks/soak.py --minutes 30 --out out/soak

Exit status 1 where memory, threads or open files grew, or a camera got no results.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import theilslopes

from panoptic_ros.cli.demonstration.processes import Child
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.recordings.source import RecordedFrame, Source, TimeRange
from panoptic_ros.ros.playback.player import Player, PlayOptions
from panoptic_ros.ros.transport.profile import with_profile

CAMERAS = {"left": (1280, 720), "right": (960, 540)}
SAMPLE_S = 2.0
MOST_GROWTH_MB_PER_MIN = 1.0
WARM_UP_SHARE = 0.2
LOOP_S = 2.0
MOST_SILENCE_S = 10.0
LEAST_SENT_SHARE = 0.95


def images_of(minutes: float, fps: float) -> int:
    """How many images a camera sends."""
    return max(2, round(minutes * 60 * fps))


class LoopedStreet(Source):
    """A drawn street over and over until a time has passed, with stamps that go on.

    Args:
        size: (width, height) of its images.
        fps: Images per second.
        minutes: How long.
    """

    def __init__(self, size: tuple[int, int], fps: float, minutes: float) -> None:
        super().__init__(Path("drawn street"), TimeRange())
        self._frames = [frame for frame, _ in DrawnStreet(size, fps=fps, seconds=LOOP_S)]
        self._fps, self.count = fps, images_of(minutes, fps)

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images."""
        for number in range(self.count or 0):
            frame = self._frames[number % len(self._frames)]
            yield RecordedFrame(frame, round(number * 1e9 / self._fps), str(number))


@dataclass
class Watch:
    """What was seen of the node.

    Attributes:
        seconds: When each sample was taken.
        memory_mb: Resident memory of the node, a value a sample.
        threads: Threads of the node, a value a sample.
        files: Open files of the node, a value a sample.
        latency_ms: Stamp to label image, by camera.
        drops: The node's own counts at the end, by camera.
        heard_s: When the last result of each camera came.
    """

    seconds: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    latency_ms: dict[str, list[float]] = field(default_factory=dict)
    drops: dict[str, dict[str, str]] = field(default_factory=dict)
    heard_s: dict[str, float] = field(default_factory=dict)

    def sample(self, pid: int) -> None:
        """Read procfs once."""
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        self.seconds.append(time.monotonic())
        self.memory_mb.append(int(status["VmRSS"].split()[0]) / 1024)
        self.threads.append(int(status["Threads"]))
        self.files.append(len(os.listdir(f"/proc/{pid}/fd")))

    def growth(self) -> dict[str, float]:
        """Per minute, after the first fifth; Theil and Sen's slope, which outliers do not move."""
        first = round(WARM_UP_SHARE * len(self.seconds))
        minutes = np.array(self.seconds[first:]) / 60.0
        return {
            name: float(theilslopes(np.array(values[first:], float), minutes)[0])
            for name, values in (
                ("memory_mb", self.memory_mb),
                ("threads", self.threads),
                ("files", self.files),
            )
        }

    def report(self, sent: dict[str, int], minutes: float, fps: float) -> dict[str, Any]:
        """Put all figures together."""
        return {
            "minutes": minutes,
            "growth_per_min": self.growth(),
            "memory_mb": {
                "first": self.memory_mb[0],
                "last": self.memory_mb[-1],
                "highest": max(self.memory_mb),
            },
            "threads": {"first": self.threads[0], "last": self.threads[-1]},
            "files": {"first": self.files[0], "last": self.files[-1]},
            "cameras": {
                name: self._camera(name, count, images_of(minutes, fps))
                for name, count in sent.items()
            },
        }

    def _camera(self, name: str, sent: int, to_send: int) -> dict[str, Any]:
        latency = self.latency_ms.get(name, [])
        percentiles = np.percentile(latency, (50, 95, 99)).round(1) if latency else [None] * 3
        return {
            "sent": sent,
            "to_send": to_send,
            "results": len(latency),
            "silent_s": self.seconds[-1] - self.heard_s.get(name, self.seconds[0]),
            "latency_ms": dict(zip(("p50", "p95", "p99"), map(_plain, percentiles), strict=True)),
            "diagnostics": self.drops.get(name, {}),
        }


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


class Listener(threading.Thread):
    """Subscribes to the labels of both cameras and to the diagnostics, in a context of its own.

    Args:
        watch: Takes what is seen; written by this thread only while it runs.
    """

    def __init__(self, watch: Watch) -> None:
        super().__init__(name="listener", daemon=True)
        self._watch, self._ended = watch, threading.Event()

    def run(self) -> None:
        """Listen until ``stop``."""
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.executors import SingleThreadedExecutor
        from sensor_msgs.msg import Image

        context = rclpy.Context()
        context.init()
        node = rclpy.create_node("soak_listener", context=context)
        for name in CAMERAS:
            topic = f"/panoptic/{name}/label"
            node.create_subscription(Image, topic, lambda m, name=name: self._label(name, m), 5)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, 10)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        while not self._ended.is_set():
            executor.spin_once(timeout_sec=0.2)
        context.try_shutdown()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self.join()

    def _label(self, name: str, message: Any) -> None:
        stamp = message.header.stamp
        age_ms = (time.time_ns() - stamp.sec * 1_000_000_000 - stamp.nanosec) / 1e6
        self._watch.latency_ms.setdefault(name, []).append(age_ms)
        self._watch.heard_s[name] = time.monotonic()

    def _diagnostics(self, message: Any) -> None:
        for status in message.status:
            name = status.name.rpartition(": ")[2]
            if name in CAMERAS:
                self._watch.drops[name] = {entry.key: entry.value for entry in status.values}


def soak(minutes: float, fps: float, engine: str, out: Path) -> dict[str, Any]:
    """Run it.

    Args:
        minutes: How long the cameras play.
        fps: Images per second of each camera.
        engine: What the node runs.
        out: Where the node's log goes.

    Returns:
        The figures.
    """
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.update(with_profile())
    command = [
        sys.executable,
        "-m",
        "panoptic_ros.ros.node",
        "--ros-args",
        "-p",
        f"engine:={engine}",
        "-p",
        f"cameras:=[{', '.join(CAMERAS)}]",
        "-p",
        f"image_topics:=[{', '.join(f'/{name}/image_raw' for name in CAMERAS)}]",
    ]
    watch = Watch()
    with ExitStack() as stack:
        node = stack.enter_context(Child("node", command, out / "node.log"))
        listener = Listener(watch)
        players = {
            name: stack.enter_context(
                Player(PlayOptions(f"/{name}/image_raw", is_live=True, wait_s=60.0), name)
            )
            for name in CAMERAS
        }
        listener.start()
        threads = [
            threading.Thread(
                target=players[name].play, args=(LoopedStreet(size, fps, minutes),), daemon=True
            )
            for name, size in CAMERAS.items()
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            node.check()
            watch.sample(node.pid)
            time.sleep(SAMPLE_S)
        listener.stop()
        node.stop()
    sent = {name: len(player.sent_stamps_ns) for name, player in players.items()}
    return watch.report(sent, minutes, fps)


def verdict(report: dict[str, Any]) -> list[str]:
    """Say what is wrong, nothing where all is well."""
    growth, wrong = report["growth_per_min"], []
    if any(np.isnan(value) for value in growth.values()):
        wrong.append("too short to tell whether anything grows; let it run longer (--minutes)")
    if growth["memory_mb"] >= MOST_GROWTH_MB_PER_MIN:
        wrong.append(f"memory grows by {growth['memory_mb']:.2f} MB a minute")
    wrong += [f"{name} grow" for name in ("threads", "files") if growth[name] > 0.0]
    for name, camera in report["cameras"].items():
        if not camera["results"] or camera["silent_s"] > MOST_SILENCE_S:
            wrong.append(f"camera {name} got no results, or none at the end")
        if camera["sent"] < LEAST_SENT_SHARE * camera["to_send"]:
            wrong.append(f"camera {name} sent {camera['sent']} of {camera['to_send']} images")
    return wrong


def main() -> int:
    """Soak, print one line, write ``soak.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--fps", type=float, default=25.0, help="default: %(default)s")
    parser.add_argument("--engine", default="street_fast", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("out/soak"), help="default: %(default)s")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    report = soak(args.minutes, args.fps, args.engine, args.out)
    wrong = verdict(report)
    report["wrong"] = wrong
    (args.out / "soak.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    growth = report["growth_per_min"]["memory_mb"]
    results = sum(camera["results"] for camera in report["cameras"].values())
    print(
        f"{args.minutes:g} min, {results} results, memory {growth:+.3f} MB/min: "
        f"{'; '.join(wrong) or 'flat'}; {args.out / 'soak.json'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
