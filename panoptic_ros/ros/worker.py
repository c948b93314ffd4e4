# SPDX-License-Identifier: Apache-2.0
"""The thread in which pictures become results; one for all cameras, as there is one engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.mailbox import Mailbox
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.ros.camera import Camera
from panoptic_ros.ros.convert import from_result, to_frame
from panoptic_ros.ros.message_types import MessageTypes
from panoptic_ros.ros.parameters import NodeConfig

_QUIET_S = 5.0


class Worker:
    """Takes the newest picture, runs the pipeline, publishes.

    Started and stopped by the executor's thread; ``failure`` is set by its own.

    Args:
        node: For clock and logger.
        pipeline: Used by this thread only, while it runs.
        labels: Classes of the model.
        cameras: By name.
        types: Message classes.
        config: Gives the parameters in force; asked before every picture.
    """

    def __init__(
        self,
        node: Any,
        pipeline: Pipeline,
        labels: LabelSet,
        cameras: Mapping[str, Camera],
        types: MessageTypes,
        config: Callable[[], NodeConfig],
    ) -> None:
        self.mailbox: Mailbox[Any] = Mailbox()
        self.failure: Exception | None = None
        self._clock = node.get_clock()
        self._log = node.get_logger()
        self._pipeline = pipeline
        self._labels = labels
        self._cameras = cameras
        self._types = types
        self._config = config
        self._thread = threading.Thread(target=self._run, name="panoptic_worker", daemon=True)

    def start(self) -> None:
        """Begin to take pictures."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the picture in work and end."""
        self.mailbox.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self.mailbox.take()) is not None:
                self._serve(self._cameras[item[0]], *item)
        except Exception as error:  # handed to the main thread, which ends the process
            self.failure = error

    def _serve(self, camera: Camera, name: str, message: Any) -> None:
        config = self._config()
        if config.pipeline != self._pipeline.config:
            self._pipeline.configure(config.pipeline)
        started = time.perf_counter()
        try:
            frame = to_frame(message)
            read_ms = _ms_since(started)
            result = self._pipeline.step(frame, name)
        except FrameError as error:
            camera.tally.refuse(str(error))
            self._log.warning(
                f"{name}: picture dropped: {error}", throttle_duration_sec=_QUIET_S
            )
            return
        sending_ms = self._send(camera, name, result, message.header, config)
        latency_ms = (self._clock.now().nanoseconds - frame.stamp_ns) / 1e6
        stages_ms = {"read": read_ms, **result.stages_ms, **sending_ms}
        camera.tally.publish(latency_ms, stages_ms, len(result.tracks))

    def _send(
        self, camera: Camera, name: str, result: Result, header: Any, config: NodeConfig
    ) -> dict[str, float]:
        """Publish a result; returns the milliseconds of its two stages."""
        started = time.perf_counter()
        wanted = camera.output.wanted()
        messages = from_result(
            result, self._labels, wanted, self._types, header, config.overlay, config.jpeg_quality
        )
        messages_ms = _ms_since(started)
        started = time.perf_counter()
        camera.output.publish(messages)
        info = camera.input.camera_info
        if not camera.output.publish_camera_info(info, header, result.camera_size):
            height, width = result.camera_size
            self._log.warning(
                f"{name}: camera_info is for {info.width}x{info.height}, the picture is "
                f"{width}x{height}; ~/camera_info stays silent until they agree",
                throttle_duration_sec=_QUIET_S,
            )
        return {"messages": messages_ms, "publish": _ms_since(started)}


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1e3
