# SPDX-License-Identifier: Apache-2.0
"""The ground under the frames of a recording, from a calibration and parameters as in the node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages.ground_source import GroundSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.core.config import GroundConfig
    from panoptic_ros.core.ground.extrinsics import CameraPose
    from panoptic_ros.core.ground.grid import Ground
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import RecordedFrame
    from panoptic_ros.report.bird_view import BirdView, GroundMaps


class ReplayGround:
    """Finds the ground of every frame of one camera; used by one thread.

    Args:
        config: Camera pose and extent.

    Attributes:
        problem: Why the last frame has none, empty where it has.
    """

    def __init__(self, config: GroundConfig) -> None:
        self.problem = ""
        self._config = config
        self._source = GroundSource(_unknown_pose)
        self._ground: Ground | None = None
        self._view: BirdView | None = None

    @property
    def is_placed(self) -> bool:
        """Whether the parameters say where the camera sits."""
        return self._config.camera_height_m > 0

    def find(self, result: Result, recorded: RecordedFrame) -> Ground | None:
        """Give the ground of a frame; None where ``problem`` says why."""
        info, frame_id = recorded.camera_info, result.frame.frame_id
        try:
            found = self._source.ground(info, result.camera_size, frame_id, self._config)
        except ConfigError as error:
            self.problem = str(error)
            self._ground = None
            return None
        self.problem = ""
        if found is not self._ground:
            self._ground, self._view = found, None
        return found

    def maps(self, result: Result) -> GroundMaps | None:
        """What the node would publish about the frame that was found last, in metres.

        To be asked for every frame, as cells fade.
        """
        from panoptic_ros.report.bird_view import GroundMaps

        ground = self._ground
        if ground is None:
            return None
        grid = ground.grid(result.panoptic, result.drivable, result.frame.stamp_ns)
        return GroundMaps(grid.cells, ground.boundary(result.drivable).polygon())

    def draw(
        self, result: Result, maps: GroundMaps
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """Draw the ground as the camera saw it, and the grid; None where there is no ground."""
        from panoptic_ros.report.bird_view import BirdView

        ground = self._ground
        if ground is None:
            return None
        if self._view is None:
            self._view = BirdView(ground.camera, ground.pose, ground.config)
        return self._view.image(result.frame.image, maps), self._view.grid(maps)


def _unknown_pose(base: str, frame: str) -> CameraPose:
    raise ConfigError(
        f"nothing says where {frame or 'the camera'} sits in {base}; set ground.camera_height_m "
        "in a parameter file (--params)"
    )
