# SPDX-License-Identifier: Apache-2.0
"""A recorded frame as its result shows it, where a part of it was taken, turned or resized."""

from __future__ import annotations

from dataclasses import replace

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.result import Result
from panoptic_ros.messages.calibration.viewed_camera_info import viewed_camera_info
from panoptic_ros.recordings.bag_writer import bag_types
from panoptic_ros.recordings.source import RecordedFrame


def as_shown(recorded: RecordedFrame, result: Result, camera: CameraConfig) -> RecordedFrame:
    """Give a recorded frame the CameraInfo of what its result shows."""
    if recorded.camera_info is None or result.frame is recorded.frame:
        return recorded
    info = viewed_camera_info(recorded.camera_info, result, camera, bag_types())
    return replace(recorded, camera_info=info)
