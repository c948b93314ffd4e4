# SPDX-License-Identifier: Apache-2.0
"""The thread in which images become results; one for all cameras, as there is one engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from panoptic_ros.core.camera.view import CameraView
from panoptic_ros.core.continuity import Arrival
from panoptic_ros.core.errors import FrameError, LateFrameError
from panoptic_ros.core.mailbox import Mailbox
from panoptic_ros.core.model import Engine
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.timing.stage_clock import StageClock
from panoptic_ros.core.types import Frame
from panoptic_ros.messages.convert import to_frame
from panoptic_ros.messages.protocols import Header
from panoptic_ros.ros.camera.stream import CameraStream
from panoptic_ros.ros.protocols import Logger
from panoptic_ros.ros.sender import Sender
from panoptic_ros.ros.trace_file import TraceFile

_QUIET_S = 5.0

EngineSwap = Callable[[], "Engine | None"]
"""Gives an engine that shall take over from here on, None where there is none."""


@dataclass(frozen=True, eq=False)
class _Image:
    """A message that could be read."""

    stream: CameraStream
    frame: Frame
    header: Header
    read_ms: float
    has_stamp: bool


class Worker:
    """Takes the newest images, runs the pipeline, publishes.

    Started and stopped by the executor's thread.

    Args:
        log: Takes warnings.
        mailbox: Where the cameras leave their messages.
        pipeline: Used by this thread only, while it runs.
        streams: The cameras by name.
        config: Gives the parameters in force; asked before every inference.
        swap: Asked for a better engine before every inference.
        sender: Publishes beside this thread, and is started and closed by it; None publishes
            here, before the next image is taken.
        overlaps: Whether the sender is used with an engine; asked for every frame, as engines
            are swapped.
        trace: Takes when every stage ran; None for no trace.
    """

    def __init__(
        self,
        log: Logger,
        mailbox: Mailbox[Any],
        pipeline: Pipeline,
        streams: Mapping[str, CameraStream],
        config: Callable[[], NodeConfig],
        swap: EngineSwap = lambda: None,
        sender: Sender | None = None,
        overlaps: Callable[[Engine], bool] = lambda engine: True,
        trace: TraceFile | None = None,
    ) -> None:
        self._failure: Exception | None = None
        self._log = log
        self._mailbox = mailbox
        self._pipeline = pipeline
        self._streams = streams
        self._config = config
        self._swap = swap
        self._sender = sender
        self._overlaps = overlaps
        self._trace = trace
        self._forgetting = threading.Event()
        self._busy_since_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="panoptic_worker", daemon=True)

    def start(self) -> None:
        """Begin to take images."""
        self._thread.start()

    def stop(self, patience_s: float) -> bool:
        """Finish the images in work and end.

        Args:
            patience_s: How long to wait for the engine.

        Returns:
            False where it does not come back: it and the thread are lost then.
        """
        self._mailbox.close()
        if self._thread.is_alive():
            self._thread.join(patience_s)
        return not self._thread.is_alive()

    @property
    def failure(self) -> Exception | None:
        """What ended the work before its time; any thread may ask."""
        return self._failure or (self._sender.failure if self._sender else None)

    @property
    def busy_since_s(self) -> float | None:
        """When, in steady time, the images in work went to the engine; None while none are."""
        return self._busy_since_s

    def forget_tracks(self) -> None:
        """Start all tracks anew with the next images; any thread may ask for it."""
        self._forgetting.set()

    def _run(self) -> None:
        if self._sender is not None:
            self._sender.start()
        try:
            while items := self._mailbox.take_batch(self._pipeline.batch):
                config = self._config()
                self._adapt(config)
                self._serve(items, config)
        except Exception as error:  # handed to the main thread, which ends the process
            self._failure = error
        if self._sender is not None:
            self._sender.close()

    def _adapt(self, config: NodeConfig) -> None:
        """Take over what changed since the images before."""
        if config.pipeline != self._pipeline.config:
            self._pipeline.configure(config.pipeline)
        for name, stream in self._streams.items():
            camera = config.camera(name)
            if camera != stream.state.view.config:
                stream.state.look_through(CameraView(camera))
        better = self._swap()
        if better is not None:
            self._pipeline.swap_engine(better)
        if self._forgetting.is_set():
            self._forgetting.clear()
            for stream in self._streams.values():
                stream.state.reset()

    def _serve(self, items: Sequence[tuple[str, Any]], config: NodeConfig) -> None:
        read = [self._read(self._streams[name], message) for name, message in items]
        images = [image for image in read if image is not None]
        self._busy_since_s = time.monotonic()
        results = self._pipeline.step_batch([(one.frame, one.stream.state) for one in images])
        self._busy_since_s, ended_s = None, time.monotonic()
        done: list[tuple[_Image, Result]] = []
        for image, result in zip(images, results, strict=True):
            if isinstance(result, LateFrameError):
                image.stream.statistics.come_late()
            elif isinstance(result, FrameError):
                self._refuse(image.stream, result)
            else:
                done.append((image, result))
                self._note(image, result, ended_s)
                # Asked here: beside this thread the state may be that of the next frame.
                if image.stream.state.continuity.arrival is Arrival.JUMP_BACK:
                    self._jump_back(image.stream)
        self._send(done, config)

    def _send(self, done: Sequence[tuple[_Image, Result]], config: NodeConfig) -> None:
        def deliver() -> None:
            for image, result in done:
                _deliver(image, result, config, self._trace)

        if not done:
            return
        if self._sender is None:
            deliver()
        elif self._overlaps(self._pipeline.engine):
            self._sender.give(deliver)
        else:
            # The engine before may have left a result to the sender.
            self._sender.finish()
            deliver()

    def _note(self, image: _Image, result: Result, ended_s: float) -> None:
        if self._trace is not None:
            name = image.stream.name
            stages_ms = {"read": image.read_ms, **result.stages_ms}
            self._trace.add_inference(name, result, stages_ms, ended_s)

    def _read(self, stream: CameraStream, message: Any) -> _Image | None:
        clock = StageClock()
        try:
            frame = to_frame(message)
        except FrameError as error:
            self._refuse(stream, error)
            return None
        stream.dark_warning.look(message, frame)
        timed = stream.clock.timed(frame)
        # One of 0 may be a time, by no clock that is known.
        has_stamp = frame is timed and frame.stamp_ns != 0
        return _Image(stream, timed, message.header, clock.mark("read"), has_stamp)

    def _jump_back(self, stream: CameraStream) -> None:
        stream.statistics.jump_back()
        self._log.warning(
            f"{stream.name}: stamps jumped back; its tracks start anew",
            throttle_duration_sec=_QUIET_S,
        )

    def _refuse(self, stream: CameraStream, error: FrameError) -> None:
        stream.statistics.refuse(str(error))
        self._log.warning(f"{stream.name}: image dropped: {error}", throttle_duration_sec=_QUIET_S)


def _deliver(image: _Image, result: Result, config: NodeConfig, trace: TraceFile | None) -> None:
    stream = image.stream
    sending_ms = stream.publisher.send(result, image.header, config)
    if trace is not None:
        trace.add_publishing(stream.name, result, sending_ms)
    stages_ms = {"read": image.read_ms, **result.stages_ms, **sending_ms}
    # How old an image is, is not known where the camera does not say when it was.
    age_ms = stream.clock.age_ms(result.frame.stamp_ns) if image.has_stamp else float("nan")
    stream.statistics.publish(age_ms, stages_ms, len(result.tracks))
