# SPDX-License-Identifier: Apache-2.0
"""The order of the stages: one frame in, one result out, per camera."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.drivable.evidence import SurfaceRules
from panoptic_ros.core.drivable.filter import DrivableFilter
from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.geometry import shrink, thumbnail
from panoptic_ros.core.model import BatchEngine, Engine, batch_of
from panoptic_ros.core.result import Result
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.types import Frame, Heads


class Pipeline:
    """Runs frames of any number of cameras through one engine.

    Used by one thread; does not own the engine. Cameras are told apart by name, each with ids of
    its own.

    Args:
        engine: The network.
        config: Thresholds; may be exchanged between two frames with ``configure``.

    Raises:
        ConfigError: ``drivable.optional_classes`` does not fit the model's classes.
    """

    def __init__(self, engine: Engine, config: PipelineConfig | None = None) -> None:
        self._engine = engine
        self._config = config or PipelineConfig()
        # The first image is too late to say that a parameter does not fit the model.
        SurfaceRules.of(engine.spec.labels, self._config.drivable)
        self._trackers: dict[str, Tracker] = {}
        self._surfaces: dict[str, DrivableFilter] = {}

    @property
    def config(self) -> PipelineConfig:
        """The thresholds in force."""
        return self._config

    def configure(self, config: PipelineConfig) -> None:
        """Exchange the thresholds; ids are kept."""
        self._config = config
        for tracker in self._trackers.values():
            tracker.configure(config.tracking)
        for surface in self._surfaces.values():
            surface.configure(config.drivable)

    def exchange(self, engine: Engine) -> None:
        """Run the frames to come through another engine of the same model; ids are kept."""
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The network in use."""
        return self._engine

    @property
    def batch(self) -> int:
        """Cameras that ``step_batch`` runs in one inference."""
        return batch_of(self._engine)

    def reset(self, camera: str) -> None:
        """Forget the tracks of a camera; their ids are the last to be given again."""
        if camera in self._trackers:
            self._trackers[camera].reset()
            self._surfaces[camera].reset()

    def step(self, frame: Frame, camera: str = "camera") -> Result:
        """Run one frame.

        Args:
            frame: The image; its stamp orders it among the frames of the same camera.
            camera: Whose image it is.

        Raises:
            FrameError: The image cannot be used.
            EngineRunError: The engine failed.
        """
        clock = _StageClock()
        network_image = shrink(frame.image, self._engine.input)
        clock.lap("resize")
        heads = self._engine.infer(network_image)
        clock.lap("infer")
        return self._read(frame, camera, network_image, heads, clock)

    def step_batch(self, frames: Sequence[tuple[str, Frame]]) -> list[Result | FrameError]:
        """Run one frame of each of several cameras, in as few inferences as the engine allows.

        Args:
            frames: Cameras, each at most once, and their frames.

        Returns:
            For each frame its result, equal to that of ``step``, or why the image cannot be
            used. The stage ``infer`` of a result is the time of the whole inference.

        Raises:
            EngineRunError: The engine failed.
        """
        done: list[Result | FrameError] = []
        for start in range(0, len(frames), self.batch):
            part = frames[start : start + self.batch]
            if len(part) > 1 and isinstance(self._engine, BatchEngine):
                done += self._step_together(self._engine, part)
            else:
                done += [self._step_or_refuse(frame, camera) for camera, frame in part]
        return done

    def _step_or_refuse(self, frame: Frame, camera: str) -> Result | FrameError:
        try:
            return self.step(frame, camera)
        except FrameError as error:
            return error

    def _step_together(
        self, engine: BatchEngine, frames: Sequence[tuple[str, Frame]]
    ) -> list[Result | FrameError]:
        """Run frames in one inference; one that cannot be used costs the others nothing."""
        done: dict[int, Result | FrameError] = {}
        taken: list[tuple[int, _StageClock]] = []
        for index, (_, frame) in enumerate(frames):
            clock = _StageClock()
            try:
                shrink(frame.image, engine.inputs[len(taken)])
            except FrameError as error:
                done[index] = error
                continue
            clock.lap("resize")
            taken.append((index, clock))
        shared = _StageClock()
        heads = engine.infer_batch(len(taken)) if taken else []
        shared.lap("infer")
        for slot, (index, clock) in enumerate(taken):
            clock.follow(shared)
            camera, frame = frames[index]
            done[index] = self._read(frame, camera, engine.inputs[slot], heads[slot], clock)
        return [done[index] for index in range(len(frames))]

    def _read(
        self,
        frame: Frame,
        camera: str,
        network_image: NDArray[np.uint8],
        heads: Heads,
        clock: _StageClock,
    ) -> Result:
        """Make a result of what the network says about a frame."""
        labels = self._engine.spec.labels
        panoptic = decode(heads, labels, self._config.decode)
        clock.lap("decode")
        tracker = self._tracker(camera)
        tracks = tracker.update(panoptic, frame.stamp_ns, thumbnail(network_image))
        clock.lap("track")
        drivable = self._surfaces[camera].update(
            panoptic,
            frame.stamp_ns,
            tracker.motion.matrix if tracker.motion.is_known else None,
            self._config.tracking.reset_gap_s,
        )
        clock.lap("drivable")
        return Result(frame, panoptic, tracks, drivable, clock.stages_ms, labels)

    def _tracker(self, camera: str) -> Tracker:
        if camera not in self._trackers:
            labels = self._engine.spec.labels
            self._surfaces[camera] = DrivableFilter(labels, self._config.drivable)
            self._trackers[camera] = Tracker(self._config.tracking, labels)
        return self._trackers[camera]


@dataclass
class _StageClock:
    """Milliseconds between laps."""

    stages_ms: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.stages_ms[stage] = (now - self._last) * 1e3
        self._last = now

    def follow(self, other: _StageClock) -> None:
        """Take over the laps of a stage that was shared, and go on from here."""
        self.stages_ms.update(other.stages_ms)
        self._last = time.perf_counter()
