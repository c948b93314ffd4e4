# SPDX-License-Identifier: Apache-2.0
"""The ground under one camera, from its CameraInfo and its pose; made anew when they change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from panoptic_ros.core.camera.turn import turn_of_camera
from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import CameraPose, camera_pose_of
from panoptic_ros.core.ground.grid import Ground
from panoptic_ros.core.parameters import check_values
from panoptic_ros.messages.calibration.camera_yaml import read_camera_yaml
from panoptic_ros.messages.camera_info import camera_model
from panoptic_ros.messages.protocols import CameraInfo

FindPose = Callable[[str, str], CameraPose]
"""Says where an optical frame sits in a base frame; raises ``ConfigError`` where it cannot."""

_SAME_PLACE = 2e-3
"""Changes of the pose below so many metres or radians do not pay for other tables."""


def ground_of(calibration: Path | str, config: GroundConfig) -> Ground:
    """Make the ground under a camera that is known from files and numbers alone.

    Args:
        calibration: A camera's YAML or INI file, as ``panoptic calibrate`` writes it.
        config: Where the camera sits, ``camera_height_m`` above all, and the extent of the grid.

    Raises:
        ConfigError: The camera is not calibrated, or has no height, or a value of the config is
            none that its declaration allows.
        DataError: The file cannot be read.
    """
    check_values(config)
    if config.camera_height_m <= 0:
        raise ConfigError(
            f"camera_height_m is {config.camera_height_m:g}, needs the height of the camera above "
            "the ground"
        )
    info: Any = read_camera_yaml(Path(calibration))
    camera = camera_model(info, (info.height, info.width))
    return Ground(camera, camera_pose_of(camera, config), config)


class GroundSource:
    """Keeps the ground of one camera; used by one thread at a time.

    Args:
        find_pose: Asked where no parameter places the camera: base frame, optical frame.
    """

    def __init__(self, find_pose: FindPose) -> None:
        self._find_pose = find_pose
        self._ground: Ground | None = None
        self._calibration: tuple[Any, ...] = ()
        self._pose: CameraPose | None = None

    def ground(
        self,
        info: CameraInfo | None,
        size: tuple[int, int],
        frame_id: str,
        config: GroundConfig,
        rotation: int = 0,
    ) -> Ground:
        """Give the ground of a frame.

        Args:
            info: What the camera says, None where it is silent.
            size: (height, width) of the image.
            frame_id: The image's optical frame.
            config: Pose, where parameters give it, and extent; it is that of the upright image.
            rotation: Degrees by which the image was turned after the camera, of which TF speaks.

        Raises:
            ConfigError: The calibration is missing, of another size or not usable, or nothing
                says where the camera sits.
        """
        if info is None:
            raise ConfigError(
                "there is no camera_info; publish one, or give replay, play or demo --camera-info "
                "(panoptic calibrate writes it)"
            )
        camera = camera_model(info, size)
        matrices = camera.matrix.tobytes(), camera.distortion.tobytes()
        calibration = (camera.size, camera.model, *matrices)
        pose = self._pose_of(camera, frame_id, config, rotation)
        is_same = calibration == self._calibration and _is_near(pose, self._pose)
        if self._ground is None or not is_same or config != self._ground.config:
            self._ground = Ground(camera, pose, config)
            self._calibration, self._pose = calibration, pose
        return self._ground

    def _pose_of(
        self, camera: CameraModel, frame_id: str, config: GroundConfig, rotation: int
    ) -> CameraPose:
        if config.camera_height_m <= 0:
            found = self._find_pose(config.base_frame, frame_id)
            return CameraPose(found.rotation @ turn_of_camera(rotation).T, found.position)
        return camera_pose_of(camera, config)


def _is_near(pose: CameraPose, other: CameraPose | None) -> bool:
    return other is not None and bool(
        np.abs(pose.rotation - other.rotation).max() < _SAME_PLACE
        and np.abs(pose.position - other.position).max() < _SAME_PLACE
    )
