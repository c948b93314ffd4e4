# SPDX-License-Identifier: Apache-2.0
"""Where a camera sits on its vehicle, and so which place on the ground a pixel shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.camera_model import CameraModel

_TO_BODY = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""From optical axes (x right, y down, z ahead) to body axes (x ahead, y left, z up), REP-103."""


@dataclass(frozen=True, eq=False)
class CameraPose:
    """Pose of the camera's optical frame in the base frame, whose ground is the plane z = 0.

    Attributes:
        rotation: Takes directions of the optical frame into the base frame, (3, 3).
        position: Of the camera in the base frame, (3,), in metres.
    """

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]

    def __post_init__(self) -> None:
        if not self.position[2] > 0:
            raise ConfigError(
                f"the camera is {self.position[2]:.2f} m above the ground, needs more than 0: is "
                "the base frame on the ground, and the camera's frame its optical frame?"
            )

    @classmethod
    def of_angles(
        cls,
        position: tuple[float, float, float],
        pitch: float = 0.0,
        roll: float = 0.0,
        yaw: float = 0.0,
    ) -> CameraPose:
        """Place a camera that looks ahead, turned by angles.

        Args:
            position: (x, y, z) in the base frame, in metres; z is the height.
            pitch: Down is positive (REP-103: about the axis to the left), in radians.
            roll: Leaning to the right is positive (about the axis ahead), in radians.
            yaw: Looking to the left is positive, in radians.

        Raises:
            ConfigError: The height is not positive.
        """
        turned = _about(2, yaw) @ _about(1, pitch) @ _about(0, roll)
        return cls(turned @ _TO_BODY, np.array(position, np.float64))

    @classmethod
    def of_quaternion(
        cls,
        position: tuple[float, float, float],
        quaternion: tuple[float, float, float, float],
    ) -> CameraPose:
        """Take the transform that TF has of the optical frame in the base frame.

        Args:
            position: Translation, in metres.
            quaternion: Rotation, (x, y, z, w), of any length but 0.

        Raises:
            ConfigError: The height is not positive, or the rotation is none.
        """
        return cls(rotation_of(quaternion), np.array(position, np.float64))

    def to_optical(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take points (n, 3) of the base frame into the optical frame."""
        return np.asarray((points - self.position) @ self.rotation)

    def on_ground(self, rays: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find where rays meet the ground.

        Args:
            rays: Directions in the optical frame, (n, 3).

        Returns:
            (x, y) in the base frame, (n, 2), infinite or not a number where a ray misses it.
        """
        down = rays @ self.rotation.T
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(down[:, 2] < 0, -self.position[2] / down[:, 2], np.inf)
            return np.asarray(self.position[:2] + reach[:, None] * down[:, :2])


def rotation_of(quaternion: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Rotation matrix of a quaternion (x, y, z, w).

    Raises:
        ConfigError: Its length is 0 or no number.
    """
    values = np.array(quaternion, np.float64)
    length = float(np.linalg.norm(values))
    if not 1e-6 < length < math.inf:
        raise ConfigError(f"rotation {quaternion} is none: a quaternion needs a length above 0")
    x, y, z, w = values / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_of(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Quaternion (x, y, z, w) of a rotation matrix; w is 0 or more.

    >>> quaternion_of(np.diag([-1.0, -1.0, 1.0]))
    (0.0, 0.0, 1.0, 0.0)
    """
    # The eigenvector of the largest eigenvalue; Bar-Itzhack, New method for extracting the
    # quaternion from a rotation matrix (2000), version 3.
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    matrix = np.array(
        [
            [a - e - i, d + b, g + c, h - f],
            [d + b, e - a - i, h + f, c - g],
            [g + c, h + f, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    x, y, z, w = np.linalg.eigh(matrix)[1][:, -1].tolist()
    sign = -1.0 if (w, z, y, x) < (0.0, 0.0, 0.0, 0.0) else 1.0
    return sign * x + 0.0, sign * y + 0.0, sign * z + 0.0, sign * w + 0.0


def pitch_of_horizon(camera: CameraModel, row: float) -> float:
    """Pitch of a camera without roll that sees the horizon in a row.

    Args:
        camera: Its calibration.
        row: Of the horizon in the middle column, in camera pixels.

    Returns:
        Radians, positive when the camera looks down.

    Raises:
        ConfigError: That row shows no direction.
    """
    ray = camera.rays(np.array([[camera.matrix[0, 2], row]]))[0]
    if not np.isfinite(ray).all():
        raise ConfigError(f"the horizon is in row {row:g}, which the camera does not see")
    return math.atan2(-ray[1], ray[2])


def camera_pose_of(camera: CameraModel, config: GroundConfig) -> CameraPose:
    """Place a camera as the parameters say.

    Raises:
        ConfigError: The height is not positive, or the horizon is out of sight.
    """
    pitch = config.camera_pitch_rad
    if config.horizon_row >= 0:
        pitch = pitch_of_horizon(camera, config.horizon_row)
    position = (config.camera_x_m, config.camera_y_m, config.camera_height_m)
    return CameraPose.of_angles(position, pitch, config.camera_roll_rad, config.camera_yaw_rad)


def _about(axis: int, angle: float) -> NDArray[np.float64]:
    """Rotation about a body axis: 0 ahead, 1 left, 2 up."""
    sine, cosine = math.sin(angle), math.cos(angle)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[first, second], [first, second]] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix
