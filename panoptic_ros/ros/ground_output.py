# SPDX-License-Identifier: Apache-2.0
"""The topics in metres of one camera, made where somebody listens and its place is known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import CameraPose, camera_pose_of
from panoptic_ros.core.ground.grid import Ground
from panoptic_ros.core.ground.laser_scan import laser_scan_of
from panoptic_ros.core.result import Result
from panoptic_ros.messages.ground import (
    GRID,
    POINTS,
    POLYGON,
    SCAN,
    grid_message,
    points_message,
    polygon_message,
    scan_message,
)
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.transforms import Transforms

GROUND_TYPES = {
    "drivable_grid": GRID,
    "drivable_boundary": POLYGON,
    "free_space/scan": SCAN,
    "free_space/points": POINTS,
}
"""Topics that ``GroundOutput`` can fill, and their types."""

_SAME_PLACE = 2e-3
"""Changes of the mounting below so many metres or radians do not pay for other tables."""


class GroundOutput:
    """Makes the messages in metres of one camera.

    Used by whoever publishes the camera's results, one thread at a time.

    Args:
        name: The camera's.
        transforms: Where cameras are that no parameter places.
        types: Message classes.
        log: Told once of every reason for silence.

    Attributes:
        problem: Why nothing can be made, empty where it can or nobody listens.
    """

    def __init__(self, name: str, transforms: Transforms, types: MessageTypes, log: Any) -> None:
        self.problem = ""
        self._told = ""
        self._name = name
        self._transforms = transforms
        self._types = types
        self._log = log
        self._ground: Ground | None = None
        self._calibration: tuple[Any, ...] = ()
        self._config = GroundConfig()
        self._mounting: CameraPose | None = None

    def messages(
        self,
        result: Result,
        camera_info: Any,
        header: Any,
        config: GroundConfig,
        wanted: Collection[str],
    ) -> dict[str, Any]:
        """Build the messages that somebody wants.

        Args:
            result: One frame's result.
            camera_info: What the camera says, None where it is silent.
            header: Of the image; gives stamp and optical frame.
            config: Camera pose and extent.
            wanted: Names out of ``GROUND_TYPES``.

        Returns:
            Messages by topic name; none where ``problem`` says why.
        """
        if not wanted:
            return {}
        try:
            ground = self._ground_of(result.camera_size, camera_info, str(header.frame_id), config)
        except ConfigError as error:
            self._complain(str(error))
            return {}
        self.problem = ""
        kind = "std_msgs/msg/Header"
        base = self._types.make(kind, stamp=header.stamp, frame_id=config.base_frame)
        made: dict[str, Any] = {}
        if "drivable_grid" in wanted:
            grid = ground.grid(result.panoptic, result.drivable, result.frame.stamp_ns)
            made["drivable_grid"] = grid_message(grid, self._types, base)
        if set(wanted) - set(made):
            made.update(self._of_boundary(ground, result, base, config, wanted))
        return made

    def _of_boundary(
        self,
        ground: Ground,
        result: Result,
        base: Any,
        config: GroundConfig,
        wanted: Collection[str],
    ) -> dict[str, Any]:
        boundary = ground.boundary(result.drivable)
        made: dict[str, Any] = {}
        if "drivable_boundary" in wanted:
            made["drivable_boundary"] = polygon_message(boundary, self._types, base)
        if "free_space/scan" in wanted:
            # Seen from the base frame, what the camera sees may lie a little farther.
            range_m = config.length_m + float(np.hypot(*ground.camera_m))
            scan = laser_scan_of(boundary)
            made["free_space/scan"] = scan_message(scan, range_m, self._types, base)
        if "free_space/points" in wanted:
            made["free_space/points"] = points_message(boundary, self._types, base)
        return made

    def _ground_of(
        self, size: tuple[int, int], info: Any, frame: str, config: GroundConfig
    ) -> Ground:
        if info is None:
            raise ConfigError("there is no camera_info; publish one (panoptic calibrate makes it)")
        if (info.height, info.width) != size:
            raise ConfigError(
                f"camera_info is for {info.width}x{info.height}, the image is {size[1]}x{size[0]}"
            )
        calibration = (size, info.distortion_model, tuple(info.k), tuple(info.d))
        camera = _camera(info)
        pose = self._mounting_of(camera, frame, config)
        is_same = calibration == self._calibration and config == self._config
        if self._ground is None or not is_same or not _is_near(pose, self._mounting):
            self._ground = Ground(camera, pose, config)
            self._calibration, self._config, self._mounting = calibration, config, pose
        return self._ground

    def _mounting_of(self, camera: CameraModel, frame: str, config: GroundConfig) -> CameraPose:
        if config.camera_height_m <= 0:
            return self._transforms.pose(config.base_frame, frame)
        return camera_pose_of(camera, config)

    def _complain(self, problem: str) -> None:
        # The first image may come before the first camera_info or transform.
        if problem == self.problem and problem != self._told:
            self._log.warning(f"{self._name}: nothing in metres: {problem}")
            self._told = problem
        self.problem = problem


def _camera(info: Any) -> CameraModel:
    size = int(info.width), int(info.height)
    return CameraModel.of(size, str(info.distortion_model), info.k, info.d)


def _is_near(pose: CameraPose, other: CameraPose | None) -> bool:
    return other is not None and bool(
        np.abs(pose.rotation - other.rotation).max() < _SAME_PLACE
        and np.abs(pose.position - other.position).max() < _SAME_PLACE
    )
