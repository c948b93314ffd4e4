# SPDX-License-Identifier: Apache-2.0
"""``panoptic bench``: what each stage of a frame costs on this machine, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from panoptic_ros.cli.arguments import size
from panoptic_ros.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from panoptic_ros.core.model import Engine
    from panoptic_ros.core.types import Frame
    from panoptic_ros.ros.message_types import MessageTypes

TOPICS = ("label", "instance", "panoptic", "confidence", "drivable", "detections")
"""What ``messages`` builds: everything a planner subscribes to, but no picture for people."""

OUTSIDE = "outside infer"
WHOLE = "whole frame"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--engine", default="street_fast", help="default: %(default)s")
    parser.add_argument(
        "--input", type=Path, help="bag, video or folder of images (default: a drawn street)"
    )
    parser.add_argument("--topic", default="", help="image topic, where a bag has several")
    parser.add_argument(
        "--size", type=size, default=(1280, 720), metavar="WxH", help="default: 1280x720"
    )
    parser.add_argument("--frames", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--warmup", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=0, help="of inference; 0: one per core")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from panoptic_ros.engine.open import open_engine

    if args.frames < 1 or args.warmup < 0:
        raise ConfigError("--frames needs at least 1, --warmup at least 0")
    engine = open_engine(args.engine, args.threads)
    try:
        frames = _frames(args)
        report = {
            "engine": engine.description,
            "machine": _machine(),
            "input": str(args.input or "drawn street"),
            "camera_size": list(args.size),
            "frames": args.frames,
            "stages_ms": measure(engine, frames, args.frames, args.warmup),
        }
    finally:
        engine.close()
    _show(report)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(
    engine: Engine, frames: list[Frame], count: int, warmup: int
) -> dict[str, dict[str, float]]:
    """Run frames and take the time of every stage.

    Args:
        engine: The network.
        frames: Pictures; played again from the start where ``count`` is larger.
        count: Frames that are measured.
        warmup: Frames before those.

    Returns:
        ``{stage: {"p50", "p95", "p99"}}`` in ms; the last two stages are sums of a frame.
    """
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.core.types import Frame
    from panoptic_ros.ros.convert import from_result

    pipeline, types = Pipeline(engine), _message_types()
    header = _header(types)
    laps: dict[str, list[float]] = {}
    for number in range(-warmup, count):
        source = frames[number % len(frames)]
        frame = Frame(source.image, (number + warmup) * 40_000_000, source.frame_id)
        result = pipeline.step(frame)
        start = time.perf_counter()
        from_result(result, engine.spec.labels, TOPICS, types, header)
        spent = {**result.stages_ms, "messages": (time.perf_counter() - start) * 1e3}
        if number >= 0:
            spent[WHOLE] = sum(spent.values())
            spent[OUTSIDE] = spent[WHOLE] - spent["infer"]
            for stage, value in spent.items():
                laps.setdefault(stage, []).append(value)
    order = [stage for stage in laps if stage not in (OUTSIDE, WHOLE)] + [OUTSIDE, WHOLE]
    return {stage: _percentiles(laps[stage]) for stage in order}


def _percentiles(values: list[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(values, p)), 3) for p in (50, 95, 99)}


def _frames(args: argparse.Namespace) -> list[Frame]:
    """Load up to 100 pictures and bring them to the camera's size, as BGR like most drivers."""
    import cv2

    from panoptic_ros.core.types import Frame

    frames = []
    for frame in islice(_source(args), min(args.frames, 100)):
        bgr = np.ascontiguousarray(frame.image[..., ::-1])
        bgr = np.asarray(cv2.resize(bgr, args.size), np.uint8)
        frames.append(Frame(bgr[..., ::-1], frame.stamp_ns, frame.frame_id))
    if not frames:
        raise DataError(f"{args.input}: holds no picture that can be read")
    return frames


def _source(args: argparse.Namespace) -> Any:
    if args.input is None:
        from panoptic_ros.core.synthetic import DrawnStreet

        return (frame for frame, _ in DrawnStreet(size=args.size))
    from panoptic_ros.ros.sources import open_source

    return (shot.frame for shot in open_source(args.input, args.topic).shots())


def _message_types() -> MessageTypes:
    """Messages of rclpy where it is installed, of the bag library otherwise."""
    from panoptic_ros.ros.message_types import rclpy_types

    types = rclpy_types()
    if types.has("sensor_msgs/msg/Image"):
        return types
    from panoptic_ros.ros.bag_writer import bag_types

    return bag_types()


def _header(types: MessageTypes) -> Any:
    stamp = types.make("builtin_interfaces/msg/Time", sec=1, nanosec=2)
    return types.make("std_msgs/msg/Header", stamp=stamp, frame_id="camera")


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _show(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    width, height = report["camera_size"]
    table = Table(
        title=f"{report['engine']}, camera {width}x{height}, {report['frames']} frames",
        caption=f"{report['machine']}; input: {report['input']}",
    )
    table.add_column("stage")
    for name in ("p50", "p95", "p99"):
        table.add_column(f"{name} ms", justify="right")
    for stage, values in report["stages_ms"].items():
        if stage == OUTSIDE:
            table.add_section()
        table.add_row(stage, *(f"{value:.2f}" for value in values.values()))
    Console().print(table)
