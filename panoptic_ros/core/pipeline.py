# SPDX-License-Identifier: Apache-2.0
"""The order of the stages: one frame and its camera's state in, one result out."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.ego_mask import cut_out
from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.drivable.evidence import SurfaceRules
from panoptic_ros.core.errors import ConfigError, FrameError, LateFrameError
from panoptic_ros.core.geometry import thumbnail
from panoptic_ros.core.model import BatchEngine, Engine, batch_of
from panoptic_ros.core.parameters import check_values
from panoptic_ros.core.result import Result
from panoptic_ros.core.stream_state import StreamState
from panoptic_ros.core.timing.stage_clock import StageClock
from panoptic_ros.core.types import Frame, Heads


class Pipeline:
    """Runs frames of any number of cameras through one engine.

    Used by one thread; owns neither the engine nor the state of a camera: ``new_state`` makes
    one, and the caller hands it over with every frame.

    Args:
        engine: The network.
        config: Thresholds; may be replaced between two frames with ``configure``.

    Raises:
        ConfigError: As in ``configure``, or a name is given in place of an engine.
    """

    def __init__(self, engine: Engine, config: PipelineConfig | None = None) -> None:
        if isinstance(engine, (str, PathLike)):
            raise ConfigError(
                f"Pipeline takes an engine, found the name {str(engine)!r}: "
                f"Pipeline(open_engine({str(engine)!r}))"
            )
        self._engine = engine
        self._own: StreamState | None = None
        self._newest: Result | None = None
        self.configure(config or PipelineConfig())

    @property
    def config(self) -> PipelineConfig:
        """The thresholds in force."""
        return self._config

    def configure(self, config: PipelineConfig) -> None:
        """Replace the thresholds from the next frame on; ids are kept.

        Raises:
            ConfigError: It is none, has a value that its declaration does not allow, or
                ``drivable.optional_classes`` does not fit the model's classes.
        """
        if not isinstance(config, PipelineConfig):
            raise ConfigError(
                f"{type(config).__name__} is no PipelineConfig; with_value changes a value of one"
            )
        check_values(config)
        # The next image is too late to say that a parameter does not fit the model.
        SurfaceRules.of(self._engine.spec.labels, config.drivable)
        self._config = config

    def swap_engine(self, engine: Engine) -> None:
        """Run the frames to come through another engine of the same model; ids are kept."""
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The network in use."""
        return self._engine

    @property
    def batch(self) -> int:
        """Frames that ``step_batch`` runs in one inference."""
        return batch_of(self._engine)

    def new_state(self, camera: CameraConfig | None = None) -> StreamState:
        """Make the state of a camera that has not sent anything yet.

        Args:
            camera: What is said about it.

        Raises:
            ConfigError: The ego vehicle's mask cannot be read.
        """
        return StreamState(self._engine.spec.labels, self._config, camera)

    def step(self, frame: Frame, state: StreamState | None = None) -> Result:
        """Run one frame.

        Args:
            frame: The image; its stamp orders it among the frames of the same camera.
            state: Of its camera. None takes the pipeline's own, for users of a single camera;
                there a late frame is left out, and the newest result is given once more.

        Raises:
            LateFrameError: A newer frame of the camera came before; see ``Continuity``. Only
                where a state is given.
            FrameError: The image cannot be used.
            ConfigError: The state is none.
            EngineRunError: The engine failed.
        """
        if state is None:
            return self._step_alone(frame)
        clock = StageClock()
        self._admit(frame, state)
        network_image = state.view.shrink(frame.image, self._engine.input)
        clock.mark("resize")
        heads = self._engine.infer(network_image)
        clock.mark("infer")
        return self._read(frame, state, network_image, heads, clock)

    def step_batch(self, frames: Sequence[tuple[Frame, StreamState]]) -> list[Result | FrameError]:
        """Run one frame of each of several cameras, in as few inferences as the engine allows.

        Args:
            frames: Frames with the states of their cameras.

        Returns:
            For each frame its result, equal to that of ``step``, or why the image cannot be
            used. The stage ``infer`` of a result is the time of the whole inference.

        Raises:
            ConfigError: An entry is no frame with a state.
            EngineRunError: The engine failed.
        """
        _check_pairs(frames)
        done: list[Result | FrameError] = []
        for start in range(0, len(frames), self.batch):
            part = frames[start : start + self.batch]
            if len(part) > 1 and isinstance(self._engine, BatchEngine):
                done += self._step_together(self._engine, part)
            else:
                done += [self._step_or_refuse(frame, state) for frame, state in part]
        return done

    def _step_alone(self, frame: Frame) -> Result:
        """Run a frame of the pipeline's own stream."""
        self._own = self._own or self.new_state()
        try:
            self._newest = self.step(frame, self._own)
        except LateFrameError:
            # Who gives no state does not count either; a frame is late only after another one.
            assert self._newest is not None
        return self._newest

    def _step_or_refuse(self, frame: Frame, state: StreamState) -> Result | FrameError:
        try:
            return self.step(frame, state)
        except FrameError as error:
            return error

    def _step_together(
        self, engine: BatchEngine, frames: Sequence[tuple[Frame, StreamState]]
    ) -> list[Result | FrameError]:
        """Run frames in one inference; one that cannot be used costs the others nothing."""
        done: dict[int, Result | FrameError] = {}
        taken: list[tuple[int, StageClock]] = []
        for index, (frame, state) in enumerate(frames):
            clock = StageClock()
            try:
                self._admit(frame, state)
                state.view.shrink(frame.image, engine.inputs[len(taken)])
            except FrameError as error:
                done[index] = error
                continue
            clock.mark("resize")
            taken.append((index, clock))
        shared = StageClock()
        heads = engine.infer_batch(len(taken)) if taken else []
        shared.mark("infer")
        for slot, (index, clock) in enumerate(taken):
            clock.follow(shared)
            try:
                done[index] = self._read(*frames[index], engine.inputs[slot], heads[slot], clock)
            except LateFrameError as error:  # two frames of one camera in one batch
                done[index] = error
        return [done[index] for index in range(len(frames))]

    def _admit(self, frame: Frame, state: StreamState) -> None:
        """Put the thresholds in force, and refuse a late frame before the network sees it."""
        _check_frame(frame)
        _check_state(state)
        state.configure(self._config)
        state.continuity.check(frame.stamp_ns)

    def _read(
        self,
        frame: Frame,
        state: StreamState,
        network_image: NDArray[np.uint8],
        heads: Heads,
        clock: StageClock,
    ) -> Result:
        """Make a result of what the network says about a frame."""
        labels, stamp_ns = self._engine.spec.labels, frame.stamp_ns
        panoptic = decode(heads, labels, self._config.decode)
        ego = state.view.ego(frame, panoptic.labels.shape)
        if ego is not None:
            panoptic = cut_out(panoptic, ego)
        clock.mark("decode")
        is_new_stream = state.continuity.update(stamp_ns, panoptic.ids.shape).is_new_stream
        motion = state.ego_motion.update(thumbnail(network_image), panoptic, is_new_stream)
        is_new_stream |= motion.is_cut
        tracks = state.tracker.update(panoptic, stamp_ns, motion, is_new_stream)
        clock.mark("track")
        drivable = state.drivable_filter.update(panoptic, stamp_ns, motion, is_new_stream)
        clock.mark("drivable")
        seen = state.view.look(frame)
        return Result(seen, panoptic, tracks, drivable, clock.stages_ms, labels)


def _check_frame(frame: Frame) -> None:
    """Refuse what users of the Python API give in place of a frame and its nanoseconds."""
    if not isinstance(frame, Frame):
        raise FrameError(f"{type(frame).__name__} is no Frame; needs Frame(rgb, stamp_ns=0)")
    if not isinstance(frame.stamp_ns, int):
        raise FrameError(
            f"stamp_ns is {frame.stamp_ns!r}, needs whole nanoseconds: round(1e9 * seconds)"
        )


def _check_state(state: StreamState) -> None:
    """Refuse what is given in place of a camera's state, such as the camera's name."""
    if not isinstance(state, StreamState):
        raise ConfigError(
            f"{type(state).__name__} is no StreamState; pipeline.new_state() makes one per camera"
        )


def _check_pairs(frames: Sequence[tuple[Frame, StreamState]]) -> None:
    """Refuse frames without the states of their cameras."""
    for entry in frames:
        if not isinstance(entry, (tuple, list)) or len(entry) != 2:
            raise ConfigError(
                f"step_batch takes (frame, state) of each camera, found {type(entry).__name__}"
            )
        _check_state(entry[1])
