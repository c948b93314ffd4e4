# SPDX-License-Identifier: Apache-2.0
"""Take the time of every stage of a frame, for one engine or for several in turn."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from panoptic_ros.core.timing.percentiles import percentiles
from panoptic_ros.core.timing.stage_clock import StageClock

if TYPE_CHECKING:
    from panoptic_ros.core.model import Engine
    from panoptic_ros.core.types import Frame
    from panoptic_ros.messages.message_types import MessageTypes

TOPICS = ("label", "instance", "panoptic", "confidence", "drivable", "detections")
"""What ``messages`` builds: everything a planner subscribes to, but no image for people."""

OUTSIDE = "outside infer"
WHOLE = "whole frame"

_LEAST_PAIRS = 10
_STEP_NS = 40_000_000


@dataclass
class StageTimes:
    """Milliseconds of every measured frame by stage; the last two stages are sums of a frame.

    Attributes:
        stages_ms: By the clock on the wall.
        cpu_ms: Of all cores together, whole frames.
    """

    stages_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: list[float] = field(default_factory=list)

    def add(self, spent: Mapping[str, float], cpu_ms: float = 0.0) -> None:
        """Note a frame's stages, and the CPU time that it took."""
        self.cpu_ms.append(cpu_ms)
        whole = sum(spent.values())
        sums = {OUTSIDE: whole - spent["infer"], WHOLE: whole}
        for stage, value in {**spent, **sums}.items():
            self.stages_ms.setdefault(stage, []).append(value)

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Sum up as ``{stage: {"p50", "p95", "p99"}}`` in ms."""
        return {stage: percentiles(values) for stage, values in self.stages_ms.items()}

    def cpu(self) -> dict[str, float]:
        """Sum up the CPU time of a frame in ms, and how many cores are busy during a frame."""
        busy = sum(self.cpu_ms) / sum(self.stages_ms[WHOLE])
        return {**percentiles(self.cpu_ms), "cores": round(busy, 2)}

    def frames_per_s(self) -> dict[str, float]:
        """Say how many frames a second the network alone and all stages one by one can do."""
        return {
            stage: round(1e3 / float(np.mean(self.stages_ms[stage])), 2)
            for stage in ("infer", WHOLE)
        }


@dataclass(frozen=True)
class Ratio:
    """How one engine's time compares with another's on the same frames.

    Attributes:
        median: Of the ratios of times, frame by frame; below 1 means the first engine is faster.
        low: Lower end of its 95 % interval; NaN where the frames are too few for one.
        high: Upper end.
    """

    median: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """The ratio in words."""
        if not self.low <= self.high:
            return f"too few frames to say; at least {_LEAST_PAIRS} are needed"
        if self.high < 1.0:
            return "faster"
        return "slower" if self.low > 1.0 else "no difference shown"


def ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """Compare two engines pair by pair.

    The interval is that of the median from order statistics (normal approximation of the sign
    test). Neighbouring frames resemble each other, so it is a hint rather than a proof.

    Args:
        times: Milliseconds of one engine.
        others: Milliseconds of the other on the same frames.

    >>> ratio([1.0] * 20, [2.0] * 20)
    Ratio(median=0.5, low=0.5, high=0.5)
    """
    pairs = np.sort(np.asarray(times, np.float64) / np.asarray(others, np.float64))
    median = float(np.median(pairs))
    if len(pairs) < _LEAST_PAIRS:
        return Ratio(round(median, 4), float("nan"), float("nan"))
    half = 1.96 * sqrt(len(pairs)) / 2
    low = max(0, floor(len(pairs) / 2 - half))
    high = min(len(pairs) - 1, ceil(len(pairs) / 2 + half) - 1)
    return Ratio(round(median, 4), round(float(pairs[low]), 4), round(float(pairs[high]), 4))


def measure(
    engines: Sequence[Engine], frames: Sequence[Frame], count: int, warmup: int
) -> list[StageTimes]:
    """Run frames and take the time of every stage.

    Several engines take every frame in turn, and the first of a pair is the second of the next:
    what else the machine does then hits all of them alike.

    Args:
        engines: The networks.
        frames: Images; played again from the start where ``count`` is larger.
        count: Frames that are measured.
        warmup: Frames before those.

    Returns:
        Stage times in the order of the engines.
    """
    runs = [_EngineRun(engine) for engine in engines]
    for number in range(-warmup, count):
        frame = frames[number % len(frames)]
        for run in runs if number % 2 else runs[::-1]:
            cpu_s = time.process_time()
            spent = run.step(frame, (number + warmup) * _STEP_NS)
            if number >= 0:
                run.times.add(spent, (time.process_time() - cpu_s) * 1e3)
    return [run.times for run in runs]


class _EngineRun:
    """One engine with a pipeline of its own, so that engines do not share tracks."""

    def __init__(self, engine: Engine) -> None:
        from panoptic_ros.core.pipeline import Pipeline

        self._pipeline = Pipeline(engine)
        self._state = self._pipeline.new_state()
        self._types = _message_types()
        self._header = _header(self._types)
        self.times = StageTimes()

    def step(self, source: Frame, stamp_ns: int) -> dict[str, float]:
        """Run a frame; give back milliseconds by stage."""
        from panoptic_ros.core.types import Frame
        from panoptic_ros.messages.context import FrameContext
        from panoptic_ros.messages.topics import build_messages

        frame = Frame(source.image, stamp_ns, source.frame_id)
        result = self._pipeline.step(frame, self._state)
        clock = StageClock()
        build_messages(TOPICS, FrameContext(result, self._types, self._header))
        clock.mark("messages")
        return {**result.stages_ms, **clock.stages_ms}


def batch_rate(engine: Any, count: int, warmup: int) -> dict[str, float]:
    """Take the time of whole batches, for engines that run several images at once.

    Returns:
        Images in a batch, images a second, and percentiles of a batch in ms; empty for
        engines of one image.
    """
    batch = int(getattr(engine, "batch", 1))
    if batch < 2:
        return {}
    spent = []
    for number in range(-warmup, max(1, count // batch)):
        clock = StageClock()
        engine.infer_batch(batch)
        if number >= 0:
            spent.append(clock.mark("infer"))
    rate = round(1e3 * batch / float(np.mean(spent)), 2)
    return {"images": float(batch), "images_per_s": rate, **percentiles(spent)}


def _message_types() -> MessageTypes:
    """Messages of rclpy where it is installed, of the bag library otherwise."""
    from panoptic_ros.messages.message_types import rclpy_types

    types = rclpy_types()
    if types.has("sensor_msgs/msg/Image"):
        return types
    from panoptic_ros.recordings.bag_writer import bag_types

    return bag_types()


def _header(types: MessageTypes) -> Any:
    stamp = types.make("builtin_interfaces/msg/Time", sec=1, nanosec=2)
    return types.make("std_msgs/msg/Header", stamp=stamp, frame_id="camera")
