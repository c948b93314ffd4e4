# SPDX-License-Identifier: Apache-2.0
"""The ground under one camera of the node, and why there is none."""

from __future__ import annotations

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.grid import Ground
from panoptic_ros.messages.ground_source import GroundSource
from panoptic_ros.messages.protocols import CameraInfo
from panoptic_ros.ros.protocols import Logger
from panoptic_ros.ros.transforms import Transforms


class GroundOutput:
    """Finds the ground that the topics in metres of one camera are about.

    Used by whoever publishes the camera's results, one thread at a time.

    Args:
        name: The camera's.
        transforms: Where cameras are that no parameter places.
        log: Told once of every reason for silence.

    Attributes:
        problem: Why there is none, empty where there is, and after ``forget``.
    """

    def __init__(self, name: str, transforms: Transforms, log: Logger) -> None:
        self.problem = ""
        self._told = ""
        self._name = name
        self._log = log
        self._source = GroundSource(transforms.pose)

    def ground(
        self,
        info: CameraInfo | None,
        size: tuple[int, int],
        frame_id: str,
        config: GroundConfig,
        rotation: int = 0,
    ) -> Ground | None:
        """Give the ground of a frame that somebody asks for.

        Args:
            info: What the camera says, None where it is silent.
            size: (height, width) of the image.
            frame_id: The image's optical frame.
            config: Camera pose and extent.
            rotation: Degrees by which the image was turned after the camera.

        Returns:
            The ground; None where ``problem`` says why.
        """
        try:
            found = self._source.ground(info, size, frame_id, config, rotation)
        except ConfigError as error:
            self._complain(str(error))
            return None
        self.problem = ""
        return found

    def forget(self) -> None:
        """Take back the problem, as nobody listens; the next frame asked for tells anew."""
        self.problem = ""

    def _complain(self, problem: str) -> None:
        # The first image may come before the first camera_info or transform.
        if problem == self.problem and problem != self._told:
            self._log.warning(f"{self._name}: ground topics are off: {problem}")
            self._told = problem
        self.problem = problem
