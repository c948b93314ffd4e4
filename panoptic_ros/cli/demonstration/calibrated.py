# SPDX-License-Identifier: Apache-2.0
"""What the command line says of a demo's camera: how it sees, and where it sits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from panoptic_ros.cli.demonstration.camera import DemoCamera, motorway_camera
from panoptic_ros.cli.demonstration.session import PlayedCamera
from panoptic_ros.cli.options.taken_parameters import ALWAYS, changed_parameters, is_of
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.recordings.source import CalibratedSource


def calibrated(camera: PlayedCamera, calibration: Path | None, config: NodeConfig) -> PlayedCamera:
    """Add a calibration file and the pose that the node's parameters say.

    Args:
        camera: The camera; owns its source.
        calibration: File of ROS's camera_info form, None where it is not known.
        config: The node's parameters; its ``ground`` and its recorded camera's ``ego_mask`` count.

    Raises:
        ConfigError: The pose is known and the calibration is not, or none of several cameras has
            the source's topic.
        DataError: The calibration cannot be read.
    """
    ground = config.ground
    is_placed = ground.camera_height_m > 0
    ego_mask = config.recorded_camera(camera.source.topic).ego_mask
    if ego_mask:
        camera = replace(camera, ego_mask=ego_mask)
    if calibration is None:
        if is_placed:
            raise ConfigError("ground.camera_height_m needs a calibration: give --camera-info")
        return camera
    source = CalibratedSource(camera.source, calibration)
    return replace(
        camera, source=source, place=DemoCamera(calibration, ground) if is_placed else None
    )


def told_to_node(config: NodeConfig, topic: str) -> dict[str, Any]:
    """List what else the parameters say, for a node with one camera, by name.

    Args:
        config: The parameters.
        topic: Image topic of what is played, empty where it has none.

    Raises:
        ConfigError: None of several cameras has the topic.
    """
    spoken = ("ego_mask", "ground", *ALWAYS)
    changed = changed_parameters(config)
    told = {name: value for name, value in changed.items() if not is_of(name, spoken)}
    if "max_rate_hz" in told:
        told["max_rate_hz"] = [config.recorded_camera(topic).max_rate_hz]
    return told


def on_the_motorway(camera: PlayedCamera) -> PlayedCamera:
    """Add what is known of the camera of the demo's first video."""
    place = motorway_camera()
    return replace(camera, source=CalibratedSource(camera.source, place.calibration), place=place)
