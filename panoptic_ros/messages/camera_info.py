# SPDX-License-Identifier: Apache-2.0
"""Carry a CameraInfo from one kind of messages (ROS 1, a bag, rclpy) to another."""

from __future__ import annotations

from typing import Any

import numpy as np

from panoptic_ros.messages.message_types import MessageTypes

CAMERA_INFO = "sensor_msgs/msg/CameraInfo"


def recast(info: Any, types: MessageTypes, header: Any) -> Any:
    """Build a CameraInfo with the content of another.

    Args:
        info: Any CameraInfo; ROS 1 writes its matrices in capitals.
        types: Message classes of the result.
        header: Of the result.
    """
    region = types.make(
        "sensor_msgs/msg/RegionOfInterest",
        x_offset=int(info.roi.x_offset),
        y_offset=int(info.roi.y_offset),
        height=int(info.roi.height),
        width=int(info.roi.width),
        do_rectify=bool(info.roi.do_rectify),
    )
    return types.make(
        CAMERA_INFO,
        header=header,
        height=int(info.height),
        width=int(info.width),
        distortion_model=str(info.distortion_model),
        **{name: _numbers(info, name) for name in ("d", "k", "r", "p")},
        binning_x=int(info.binning_x),
        binning_y=int(info.binning_y),
        roi=region,
    )


def _numbers(info: Any, name: str) -> Any:
    values = getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())
    return np.asarray(values, np.float64)
