# SPDX-License-Identifier: Apache-2.0
"""The ground under the frames of a recording, from a calibration and parameters or TF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.ground_source import GroundSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.core.config import GroundConfig
    from panoptic_ros.core.ground.grid import Ground
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import RecordedFrame
    from panoptic_ros.report.bird_view import BirdView, GroundMaps


class ReplayGround:
    """Finds the ground of every frame of one camera; used by one thread.

    Args:
        config: Camera pose and extent.
        rotation: Degrees by which the images are turned after the camera.
        tree: The recording's own transforms, which place a camera that no parameter places.

    Attributes:
        problem: Why the last frame has none, empty where it has.
    """

    def __init__(
        self, config: GroundConfig, rotation: int = 0, tree: TransformTree | None = None
    ) -> None:
        self.problem = ""
        self._config, self._rotation = config, rotation
        self._tree = tree or TransformTree()
        self._source = GroundSource(self._recorded_pose)
        self._ground: Ground | None = None
        self._view: BirdView | None = None

    @property
    def is_told(self) -> bool:
        """Whether the parameters say where the camera sits."""
        return self._config.camera_height_m > 0

    @property
    def is_placed(self) -> bool:
        """Whether the parameters say where the camera sits, or the transforms may."""
        return self.is_told or self._tree.names(self._config.base_frame)

    def find(self, result: Result, recorded: RecordedFrame) -> Ground | None:
        """Give the ground of a frame; None where ``problem`` says why."""
        info, frame_id = recorded.camera_info, result.frame.frame_id
        try:
            found = self._source.ground(
                info, result.camera_size, frame_id, self._config, self._rotation
            )
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

    def _recorded_pose(self, base: str, frame: str) -> CameraPose:
        """Where TF has the camera."""
        pose = self._tree.pose(base, frame)
        if pose is None:
            raise ConfigError(
                f"nothing says where {frame or 'the camera'} sits in {base}; set "
                "ground.camera_height_m in a parameter file (--params)"
            )
        return CameraPose(pose[:3, :3], pose[:3, 3])
