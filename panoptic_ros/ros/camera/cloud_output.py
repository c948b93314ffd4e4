# SPDX-License-Identifier: Apache-2.0
"""The labelled clouds of one camera of the node, and why there are none."""

from __future__ import annotations

from panoptic_ros.core.clouds.cloud import LabelledCloud
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.result import Result
from panoptic_ros.messages.clouds.cloud_stage import CloudSettings, CloudStage
from panoptic_ros.messages.clouds.cloud_statistics import CloudStatistics
from panoptic_ros.messages.context import CloudContext
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import CameraInfo
from panoptic_ros.messages.topics import build_cloud_messages
from panoptic_ros.ros.camera.camera_output import CameraOutput
from panoptic_ros.ros.protocols import Logger

_QUIET_S = 5.0
_USUAL_AT_START = 2
"""The first clouds may come before the first image, camera_info or transform."""


class CloudOutput:
    """Publishes what is known about the clouds of one camera.

    Used by whoever publishes the camera's results, one thread at a time.

    Args:
        name: The camera's.
        stage: Where its clouds wait.
        statistics: Counts what happens to them.
        output: The camera's topics.
        types: Message classes.
        log: Takes warnings.
    """

    def __init__(
        self,
        name: str,
        stage: CloudStage,
        statistics: CloudStatistics,
        output: CameraOutput,
        types: MessageTypes,
        log: Logger,
    ) -> None:
        self._name = name
        self._stage = stage
        self._statistics = statistics
        self._output = output
        self._types = types
        self._log = log
        self._dropped = 0
        self._newest: LabelledCloud | None = None

    def publish(
        self, result: Result, info: CameraInfo | None, config: NodeConfig, rotation: int = 0
    ) -> LabelledCloud | None:
        """Publish the clouds that have waited for a result.

        Args:
            result: Of the camera's newest image.
            info: What the camera says, None where it is silent.
            config: The parameters in force.
            rotation: Degrees by which the image was turned.

        Returns:
            A labelled cloud of about the result's time, None where there is none or nobody asks.
        """
        wanted = self._output.wanted_clouds()
        if not wanted and not self._output.wants_ground():
            self._stage.pass_by(result, config.points)
            self._newest = None
            return None
        settings = CloudSettings(config.points, config.ground, rotation)
        for found in self._stage.take(result, info, settings):
            context = CloudContext(found.labelled, found.boxes, self._types, found.header)
            self._output.publish(build_cloud_messages(wanted, context))
            self._newest = found.labelled
        self._complain()
        return self._near(result, config)

    def _near(self, result: Result, config: NodeConfig) -> LabelledCloud | None:
        if self._newest is None:
            return None
        offset_ns = abs(self._newest.cloud.stamp_ns - result.frame.stamp_ns)
        return self._newest if offset_ns <= config.points.max_offset_s * 1e9 else None

    def _complain(self) -> None:
        before, self._dropped = self._dropped, self._statistics.dropped
        problem = self._statistics.problem
        if problem and self._dropped > max(before, _USUAL_AT_START):
            self._log.warning(
                f"{self._name}: cloud dropped: {problem}", throttle_duration_sec=_QUIET_S
            )
