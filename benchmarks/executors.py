# SPDX-License-Identifier: Apache-2.0
"""rclpy's executors beside each other: CPU time and latency of two cameras at 25 images a second.

Run from the root, in a shell with ROS 2: python -m benchmarks.executors [--seconds 8] [--rounds 3]

A process of its own publishes images of 1280x720 on two topics; this one takes them with each
executor by turns, with the node's timer at 20/s beside them, and does nothing else. Latency is
from the stamp to the callback. ``rclpy.experimental.EventsExecutor`` is there from Kilted on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from panoptic_ros.messages.convert import image_message
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.ros.transport.profile import with_profile

TOPICS, RATE_HZ, SIZE = ("/front/image", "/rear/image"), 25.0, (720, 1280)


def main() -> None:
    """Measure by turns, print one line for each executor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--send", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.send:
        _send()
        return
    command = [sys.executable, "-m", "benchmarks.executors", "--send"]
    with subprocess.Popen(command, env=with_profile()) as sender:
        try:
            _compare(args)
        finally:
            sender.terminate()


def _compare(args: argparse.Namespace) -> None:
    kinds: dict[str, Any] = {"SingleThreadedExecutor": SingleThreadedExecutor}
    try:
        kinds["EventsExecutor"] = import_module("rclpy.experimental").EventsExecutor
    except (ImportError, AttributeError):
        print("this rclpy has no EventsExecutor")
    rows: dict[str, list[tuple[float, float, list[float]]]] = {name: [] for name in kinds}
    rclpy.init()
    for _ in range(args.rounds):
        for name, kind in kinds.items():
            rows[name].append(_take(kind, args.seconds))
    rclpy.shutdown()
    for name, done in rows.items():
        share = np.median([cpu / seconds for cpu, seconds, _ in done]) * 100
        times = np.concatenate([late for *_, late in done])
        each = np.median([cpu / len(late) for cpu, _, late in done if late]) * 1e3
        p50, p99 = np.percentile(times, (50, 99))
        print(
            f"{name:<24}{share:5.1f} % of a core, {each:.2f} ms an image; latency p50 {p50:.1f}, "
            f"p99 {p99:.1f} ms; {len(times)} images"
        )


def _take(kind: Any, seconds: float) -> tuple[float, float, list[float]]:
    """Take images for some seconds: CPU seconds, seconds, and how late each image was in ms."""
    node, late = rclpy.create_node("taker"), list[float]()

    def note(message: Image) -> None:
        stamp_s = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        late.append((time.time() - stamp_s) * 1e3)

    for topic in TOPICS:
        node.create_subscription(Image, topic, note, qos_profile_sensor_data)
    node.create_timer(0.05, lambda: None)
    executor = kind()
    executor.add_node(node)
    start = time.monotonic()
    while time.monotonic() - start < 1.5:  # discovery
        executor.spin_once(timeout_sec=0.2)
    late.clear()
    start, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - start < seconds:
        executor.spin_once(timeout_sec=0.2)
    spent = time.process_time() - cpu, time.monotonic() - start
    executor.remove_node(node)
    executor.shutdown()
    node.destroy_node()
    return *spent, late


def _send() -> None:
    rclpy.init()
    node = rclpy.create_node("sender")
    publishers = [node.create_publisher(Image, topic, 2) for topic in TOPICS]
    height, width = SIZE
    types = rclpy_types()
    header = types.make("std_msgs/msg/Header")
    message = image_message(np.zeros((height, width, 3), np.uint8), "rgb8", types, header)
    due = time.monotonic()
    while rclpy.ok():
        for publisher in publishers:
            now_ns = time.time_ns()
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(now_ns, 10**9)
            publisher.publish(message)
        due += 1.0 / RATE_HZ
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
