# SPDX-License-Identifier: Apache-2.0
"""From a camera's result to its topics, and taking it back when the camera falls silent."""

from __future__ import annotations

import threading
import time

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.output_size import resized
from panoptic_ros.core.clouds.cloud import LabelledCloud
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.result import Result, without_image
from panoptic_ros.core.timing.stage_clock import StageClock
from panoptic_ros.core.void import void_like
from panoptic_ros.messages.calibration.viewed_camera_info import viewed_camera_info
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import CameraInfo, Header, Stamp
from panoptic_ros.messages.topics import build_messages
from panoptic_ros.ros.camera.camera_input import CameraInput
from panoptic_ros.ros.camera.camera_output import CameraOutput
from panoptic_ros.ros.camera.cloud_output import CloudOutput
from panoptic_ros.ros.camera.ground_output import GroundOutput
from panoptic_ros.ros.protocols import Logger

_QUIET_S = 5.0


class ResultPublisher:
    """Publishes the results of one camera.

    The worker's thread sends, the executor's thread takes back; a lock keeps them apart, so that
    what is taken back is never newer than what follows it.

    Args:
        name: The camera's.
        source: Knows its ``camera_info``.
        output: Its topics.
        ground: Makes the messages in metres.
        types: Message classes.
        log: Takes warnings.
        clouds: Publishes the camera's point clouds, None where it has none.
    """

    def __init__(
        self,
        name: str,
        source: CameraInput,
        output: CameraOutput,
        ground: GroundOutput,
        types: MessageTypes,
        log: Logger,
        clouds: CloudOutput | None = None,
    ) -> None:
        self._name = name
        self._clouds = clouds
        self._source = source
        self._output = output
        self._ground = ground
        self._types = types
        self._log = log
        self._sending = threading.Lock()
        self._last: Result | None = None
        self._since_s = time.monotonic()

    @property
    def since_s(self) -> float:
        """When, in steady time, the last result went out, or the start before the first."""
        return self._since_s

    @property
    def silent_s(self) -> float:
        """Seconds since the last result, or since the start before the first."""
        return time.monotonic() - self._since_s

    @property
    def ground_problem(self) -> str:
        """Why nothing can be made in metres, empty where it can or nobody listens."""
        return self._ground.problem

    def send(self, result: Result, header: Header, config: NodeConfig) -> dict[str, float]:
        """Publish a result.

        Args:
            result: Of this camera's newest image.
            header: Of the image's message.
            config: The parameters in force.

        Returns:
            Milliseconds of the stages ``points``, where there are clouds, ``messages`` and
            ``publish``.
        """
        with self._sending:
            clock, cloud = StageClock(), None
            if self._clouds is not None:
                camera = config.camera(self._name)
                info = viewed_camera_info(self._source.camera_info, result, camera, self._types)
                cloud = self._clouds.publish(result, info, config, camera.rotation)
                clock.mark("points")
            stages_ms = clock.stages_ms | self._publish(result, header, config, cloud)
            self._last = without_image(result)
            self._since_s = time.monotonic()
        return stages_ms

    def publish_void(self, stamp: Stamp, silence_s: float, config: NodeConfig) -> bool:
        """Publish that nothing is known, if there was no result for so long.

        Args:
            stamp: The node's time, as a ``builtin_interfaces/msg/Time``.
            silence_s: Shorter silence changes nothing.
            config: The parameters in force.

        Returns:
            Whether it was published; before the first result there is nothing to take back.
        """
        # Where the lock is taken a result goes out right now; the executor must not wait for it.
        if not self._sending.acquire(blocking=False):
            return False
        try:
            if self._last is None or self.silent_s < silence_s:
                return False
            frame_id = self._last.frame.frame_id
            header = self._types.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)
            stamp_ns = int(stamp.sec) * 10**9 + int(stamp.nanosec)
            self._publish(void_like(self._last, stamp_ns), header, config)
        finally:
            self._sending.release()
        return True

    def _publish(
        self,
        result: Result,
        header: Header,
        config: NodeConfig,
        cloud: LabelledCloud | None = None,
    ) -> dict[str, float]:
        clock = StageClock()
        wanted, camera = self._output.wanted(), config.camera(self._name)
        needs_image = any(name.startswith("overlay") for name in wanted)
        result = resized(result, camera, needs_image)
        context = self._context(result, header, config, camera)
        context.cloud = cloud
        messages = build_messages(wanted, context)
        clock.mark("messages")
        self._output.publish(messages)
        info = self._source.camera_info
        if "camera_info" in wanted and info is not None and "camera_info" not in messages:
            self._complain(info, result.frame.whole_size or result.camera_size)
        clock.mark("publish")
        return clock.stages_ms

    def _context(
        self, result: Result, header: Header, config: NodeConfig, camera: CameraConfig
    ) -> FrameContext:
        info = viewed_camera_info(self._source.camera_info, result, camera, self._types)
        ground = None
        if self._output.wants_ground():
            size, frame_id = result.camera_size, header.frame_id
            ground = self._ground.ground(info, size, frame_id, config.ground, camera.rotation)
        else:
            self._ground.forget()
        return FrameContext(
            result,
            self._types,
            header,
            remaps=self._output.remaps,
            style=config.overlay,
            jpeg_quality=config.jpeg_quality,
            panoptic_encoding=config.panoptic_encoding,
            ground=ground,
            camera_info=info,
        )

    def _complain(self, info: CameraInfo, size: tuple[int, int]) -> None:
        self._log.warning(
            f"{self._name}: camera_info is for {info.width}x{info.height}, the image is "
            f"{size[1]}x{size[0]}; ~/camera_info stays silent until they agree",
            throttle_duration_sec=_QUIET_S,
        )
