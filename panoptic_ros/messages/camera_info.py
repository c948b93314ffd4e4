# SPDX-License-Identifier: Apache-2.0
"""The camera's own CameraInfo, carried from one message library (ROS 1, bag, rclpy) to another."""

from __future__ import annotations

from copy import copy
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.calibration import PLUMB_BOB
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.node_config import without_transport
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import CameraInfo, Header

CAMERA_INFO = "sensor_msgs/msg/CameraInfo"

_RECTIFIED = "image_rect"
"""What image_pipeline's names of rectified images begin with: image_rect, image_rect_color."""


def beside(topic: str) -> str:
    """CameraInfo topic beside an image topic, as image_transport names it.

    >>> beside("/front/image_raw"), beside("/front/image_raw/compressed"), beside("/image")
    ('/front/camera_info', '/front/camera_info', '/camera_info')
    """
    return f"{without_transport(topic).rpartition('/')[0]}/camera_info"


def is_rectified(topic: str) -> bool:
    """Whether image_pipeline's names say that a topic carries rectified images.

    >>> is_rectified("/front/image_rect_color"), is_rectified("/front/image_raw/compressed")
    (True, False)
    """
    return without_transport(topic).rpartition("/")[2].startswith(_RECTIFIED)


def for_topic(info: Any, topic: str) -> Any:
    """Give the CameraInfo of the images of a topic.

    Raw images and those that image_pipeline rectifies lie beside one CameraInfo. Its K, D and R
    are about the raw ones; rectified ones have the camera matrix that P begins with, and no
    distortion.

    Source: CameraInfo.msg, http://wiki.ros.org/image_pipeline/CameraInfo.

    Args:
        info: Any CameraInfo; ROS 1 writes its matrices in capitals.
        topic: Of the images.

    Returns:
        The same; of rectified images a copy about them, unless P is not filled in.
    """
    if not is_rectified(topic):
        return info
    p = _numbers(info, "p").reshape(3, 4)
    if not p[0, 0] > 0:
        return info
    name_of = {name: name if hasattr(info, name) else name.upper() for name in ("d", "k", "r")}
    about = {
        "distortion_model": PLUMB_BOB,
        # Each message library has a type of its own for the values.
        name_of["d"]: getattr(info, name_of["d"])[:0],
        name_of["k"]: p[:, :3].ravel(),
        name_of["r"]: np.eye(3).ravel(),
    }
    if is_dataclass(info):
        return replace(info, **about)  # type: ignore[type-var]
    same = copy(info)
    for name, value in about.items():
        setattr(same, name, value)
    return same


def fits(info: CameraInfo, size: tuple[int, int]) -> bool:
    """Whether a CameraInfo is about images of a size, (height, width)."""
    return size in (image_size(info), (int(info.height), int(info.width)))


def image_size(info: CameraInfo) -> tuple[int, int]:
    """Size of the images that a CameraInfo is about, (height, width), after ROI and binning."""
    region = region_of(info)
    return region[2] // max(1, info.binning_y), region[3] // max(1, info.binning_x)


def camera_model(info: CameraInfo, size: tuple[int, int]) -> CameraModel:
    """Make the camera of images of a size, binned and cut as the CameraInfo says.

    Source: image_geometry, PinholeCameraModel::fromCameraInfo.

    Args:
        info: Any CameraInfo.
        size: (height, width) of the images; where it is that of the full resolution, the driver
            has scaled K itself.

    Raises:
        ConfigError: It speaks of another size, the camera is not calibrated, or its model is not
            known.
    """
    if not fits(info, size):
        height, width = image_size(info)
        raise ConfigError(f"camera_info is for {width}x{height}, the image is {size[1]}x{size[0]}")
    k = np.array(_numbers(info, "k"), np.float64).reshape(3, 3)
    if size == image_size(info):
        y_offset, x_offset, _, _ = region_of(info)
        k[:2, 2] -= (x_offset, y_offset)
        k[0] /= max(1, info.binning_x)
        k[1] /= max(1, info.binning_y)
    d = _numbers(info, "d")
    return CameraModel.of((size[1], size[0]), str(info.distortion_model), k.ravel(), d)


def region_of(info: CameraInfo) -> tuple[int, int, int, int]:
    """First row and column, rows and columns of the part of the sensor that is sent."""
    told = info.roi
    region = int(told.y_offset), int(told.x_offset), int(told.height), int(told.width)
    return region if any(region) else (0, 0, int(info.height), int(info.width))


def own_camera_info(context: FrameContext) -> Any:
    """Build the camera's own CameraInfo under the image's header.

    Returns:
        The message; None where the camera is silent or speaks of another size.
    """
    info = context.camera_info
    if info is None or not fits(info, context.result.camera_size):
        return None
    if isinstance(info, context.types.find(CAMERA_INFO)):
        same = copy(info)
        same.header = context.header
        return same
    return recast(info, context.types, context.header)


def region_message(
    types: MessageTypes,
    region: tuple[int, int, int, int] = (0, 0, 0, 0),
    is_rectified: bool = False,
) -> Any:
    """Build a ``sensor_msgs/msg/RegionOfInterest``.

    Args:
        types: Message classes of the result.
        region: (first row, first column, rows, columns); all 0 for the whole image.
        is_rectified: Whether a rectified image is to be taken (``do_rectify``).
    """
    y, x, height, width = region
    return types.make(
        "sensor_msgs/msg/RegionOfInterest",
        x_offset=x,
        y_offset=y,
        height=height,
        width=width,
        do_rectify=is_rectified,
    )


def recast(info: Any, types: MessageTypes, header: Header) -> Any:
    """Build a CameraInfo with the content of another.

    Args:
        info: Any CameraInfo; ROS 1 writes its matrices in capitals.
        types: Message classes of the result.
        header: Of the result.
    """
    told = info.roi
    region = int(told.y_offset), int(told.x_offset), int(told.height), int(told.width)
    return types.make(
        CAMERA_INFO,
        header=header,
        height=int(info.height),
        width=int(info.width),
        distortion_model=str(info.distortion_model),
        **{name: _numbers(info, name) for name in ("d", "k", "r", "p")},
        binning_x=int(info.binning_x),
        binning_y=int(info.binning_y),
        roi=region_message(types, region, bool(told.do_rectify)),
    )


def _numbers(info: Any, name: str) -> Any:
    values = getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())
    return np.asarray(values, np.float64)
