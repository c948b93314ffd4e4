# SPDX-License-Identifier: Apache-2.0
"""A worker with cameras that publish nowhere and note what happens to their images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.mailbox import Mailbox
from panoptic_ros.core.model import Engine
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.types import Frame
from panoptic_ros.ros.sender import Sender
from panoptic_ros.ros.trace_file import TraceFile
from panoptic_ros.ros.worker import Worker

Send = Callable[[Result, Any, NodeConfig], dict[str, float]]
AGE_MS = 12.0


class Camera:
    """A camera's stream that counts and publishes nowhere.

    Args:
        name: The camera's.
        pipeline: Makes its state.
        send: Takes its results.
        has_stamps: Whether its images say when they were taken.
    """

    def __init__(self, name: str, pipeline: Pipeline, send: Send, has_stamps: bool = True) -> None:
        self.name = name
        self.counted: list[str] = []
        self.refused: list[str] = []
        self.ages_ms: list[float] = []
        self.stages_ms: list[dict[str, float]] = []
        self.has_stamps = has_stamps
        self.state = pipeline.new_state()
        self.publisher = SimpleNamespace(send=send)
        self.clock = SimpleNamespace(timed=self._timed, age_ms=lambda stamp_ns: AGE_MS)
        self.taken = threading.Semaphore(0)
        self.dark_warning = SimpleNamespace(look=lambda *values: self.taken.release())
        self.statistics = SimpleNamespace(
            publish=self._publish,
            refuse=self.refused.append,
            come_late=lambda: self.counted.append("late"),
            jump_back=lambda: self.counted.append("jump"),
        )

    def _timed(self, frame: Frame) -> Frame:
        return frame if self.has_stamps else replace(frame, stamp_ns=frame.stamp_ns + 1)

    def _publish(self, age_ms: float, stages_ms: dict[str, float], tracks: int) -> None:
        self.counted.append("published")
        self.ages_ms.append(age_ms)
        self.stages_ms.append(stages_ms)


@dataclass
class Scene:
    """What a worker works on.

    Attributes:
        worker: The worker, started.
        cameras: By name.
        pipeline: Its pipeline.
        mailbox: Where images go.
        config: In force from the next image on.
        better: Engines that take over, one before each of the next images.
        said: Warnings.
        quiet_s: After each of them, for how long its like is not said.
    """

    worker: Worker
    cameras: dict[str, Camera]
    pipeline: Pipeline
    mailbox: Mailbox[Any]
    config: NodeConfig
    better: list[Engine] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    quiet_s: list[float] = field(default_factory=list)

    def shoot(
        self, second: float, pixels: NDArray[np.uint8] | None = None, name: str = "camera"
    ) -> None:
        """Send an image and wait until the worker has it."""
        self.mailbox.put(name, image(second, pixels))
        assert self.cameras[name].taken.acquire(timeout=60.0)


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


def nothing(result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
    """Send a result nowhere."""
    return {}


@contextmanager
def at_work(
    send: Send = nothing,
    sender: Sender | None = None,
    overlaps: Callable[[Any], bool] | None = None,
    trace: TraceFile | None = None,
    names: tuple[str, ...] = ("camera",),
) -> Iterator[Scene]:
    """Start a worker, and stop it when the images in work are done."""
    pipeline, mailbox = Pipeline(DrawnEngine()), Mailbox[Any]()
    cameras: Any = {name: Camera(name, pipeline, send) for name in names}
    said: list[str] = []
    quiet_s: list[float] = []

    def warn(words: str, throttle_duration_sec: float) -> None:
        said.append(words)
        quiet_s.append(throttle_duration_sec)

    log: Any = SimpleNamespace(warning=warn)
    better: list[Engine] = []
    worker = Worker(
        log,
        mailbox,
        pipeline,
        cameras,
        lambda: scene.config,
        swap=lambda: better.pop(0) if better else None,
        sender=sender,
        trace=trace,
        **({} if overlaps is None else {"overlaps": overlaps}),
    )
    config = NodeConfig(cameras=names)
    scene = Scene(worker, cameras, pipeline, mailbox, config, better, said, quiet_s)
    worker.start()
    yield scene
    assert worker.stop(10.0)
