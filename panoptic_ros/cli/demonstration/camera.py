# SPDX-License-Identifier: Apache-2.0
"""A camera of which it is known how it sees and where it sits, so that it can tell metres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import camera_pose_of
from panoptic_ros.core.result import Result
from panoptic_ros.messages.calibration.camera_yaml import read_camera_yaml
from panoptic_ros.report.bird_view import BirdView, GroundMaps


@dataclass(frozen=True)
class DemoCamera:
    """What tells metres.

    Attributes:
        calibration: File of ROS's camera_info form.
        ground: Camera pose and extent; what is not the default becomes the node's parameters.
    """

    calibration: Path
    ground: GroundConfig

    def node_parameters(self) -> dict[str, Any]:
        """Parameters of the node, by name."""
        usual = GroundConfig()
        return {
            f"ground.{entry.name}": value
            for entry in fields(GroundConfig)
            if (value := getattr(self.ground, entry.name)) != getattr(usual, entry.name)
        }


def motorway_camera() -> DemoCamera:
    """Where the camera of the demo's video sits.

    The chessboards that come with the video gave the calibration. Nobody measured the pose:
    the lines of a straight lane meet at the horizon, which gives pitch and yaw, and a lane of
    3.7 m, the width on US motorways, gives the height.
    """
    ground = GroundConfig(camera_height_m=1.23, camera_pitch_rad=-0.023, camera_yaw_rad=-0.03)
    return DemoCamera(resource("config", "cameras", "motorway.yaml"), ground)


class GroundImages:
    """Draws what was published in metres about a camera of known pose.

    Args:
        place: The camera's.
        maps: What was published, by stamp in ns.
    """

    def __init__(self, place: DemoCamera, frames: Mapping[int, GroundMaps]) -> None:
        info = read_camera_yaml(place.calibration)
        size = info.width, info.height
        camera = CameraModel.of(size, info.distortion_model, info.k.tolist(), info.d.tolist())
        self._view = BirdView(camera, camera_pose_of(camera, place.ground), place.ground)
        self._maps = frames

    def draw(self, result: Result) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """Draw the ground as the camera saw it, and the grid; None where nothing was published."""
        recorded = self._maps.get(result.frame.stamp_ns)
        if recorded is None:
            return None
        return self._view.image(result.frame.image, recorded), self._view.grid(recorded)
