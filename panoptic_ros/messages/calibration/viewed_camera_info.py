# SPDX-License-Identifier: Apache-2.0
"""The CameraInfo of images that are a part of the camera's, turned, or of another size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.turn import turn_of_camera
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.result import Result
from panoptic_ros.messages.camera_info import (
    fits,
    image_size,
    recast,
    region_message,
    region_of,
)
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import CameraInfo

Floats = NDArray[np.float64]

_RADIAL = ("equidistant", "fisheye")
_TANGENTIAL = ((3, 2),)
_THIN_PRISM = ((8, 10), (9, 11))
"""Places of OpenCV's coefficients that are x and y of a vector, and so turn with the image."""


def viewed_camera_info(
    info: CameraInfo | None, result: Result, config: CameraConfig, types: MessageTypes
) -> CameraInfo | None:
    """Make the CameraInfo of what results show.

    Args:
        info: The camera's own, of any message library.
        result: Of the size at which it is given out.
        config: What was cut and turned.
        types: Message classes.

    Returns:
        The camera's own where results show all of its image as it is, or where it is about images
        of another size; None where there is none, or where a tilted sensor's image is turned.
    """
    whole = result.frame.whole_size or result.camera_size
    is_same = config.region is None and not config.rotation and whole == result.camera_size
    if info is None or is_same:
        return info
    if not fits(info, whole):
        # Whoever needs it says what is wrong, unless it seems right by chance.
        return None if fits(info, result.camera_size) else info
    try:
        return _made(info, whole, result.camera_size, config, types)
    except ConfigError:
        return None


def _made(
    info: CameraInfo,
    whole: tuple[int, int],
    size: tuple[int, int],
    config: CameraConfig,
    types: MessageTypes,
) -> CameraInfo:
    # The message's own header takes its place when it is published.
    stamp = types.make("builtin_interfaces/msg/Time", sec=0, nanosec=0)
    header = types.make("std_msgs/msg/Header", stamp=stamp, frame_id="")
    made: Any = recast(info, types, header)
    part = config.region or (0, 0, whole[1], whole[0])
    to_pixels = _to_part(info, whole, part)
    turn = turn_of_camera(config.rotation)
    to_pixels = _scaled(part, size, config.rotation) @ _turned(part, config.rotation) @ to_pixels
    p = np.array(made.p, np.float64).reshape(3, 4)
    turned_4 = np.eye(4)
    turned_4[:3, :3] = turn
    made.k = (to_pixels @ np.array(made.k, np.float64).reshape(3, 3) @ turn.T).ravel()
    made.p = (to_pixels @ p @ turned_4.T).ravel()
    made.r = (turn @ np.array(made.r, np.float64).reshape(3, 3) @ turn.T).ravel()
    made.d = types.numbers(
        _distortion(str(made.distortion_model), np.array(made.d, np.float64), config.rotation)
    )
    made.height, made.width = size
    made.binning_x = made.binning_y = 0
    made.roi = region_message(types)
    found: CameraInfo = made
    return found


def _to_part(info: CameraInfo, whole: tuple[int, int], part: tuple[int, int, int, int]) -> Floats:
    """Take pixels of the sensor, of which K speaks, to those of the part, (3, 3)."""
    binned = np.eye(3)
    if whole == image_size(info):
        y, x, _, _ = region_of(info)
        scale = np.array([1 / max(1, info.binning_x), 1 / max(1, info.binning_y)])
        binned = np.diag([*scale, 1.0])
        binned[:2, 2] = -scale * (x, y)
    cut = np.eye(3)
    cut[:2, 2] = -part[0], -part[1]
    return np.asarray(cut @ binned)


def _turned(part: tuple[int, int, int, int], degrees: int) -> Floats:
    """Turn the pixels of the part about its corner and back into sight, (3, 3)."""
    _, _, width, height = part
    made: Floats = turn_of_camera(degrees)
    shift = {90: (height - 1, 0), 180: (width - 1, height - 1), 270: (0, width - 1)}
    made[:2, 2] = shift.get(degrees, (0, 0))
    return made


def _scaled(part: tuple[int, int, int, int], size: tuple[int, int], degrees: int) -> Floats:
    """Stretch the turned part to a size; pixels are counted at their middles, (3, 3)."""
    _, _, width, height = part
    width, height = (height, width) if degrees % 180 else (width, height)
    scale = np.array([size[1] / width, size[0] / height])
    made = np.diag([*scale, 1.0])
    made[:2, 2] = 0.5 * scale - 0.5
    return made


def _distortion(model: str, d: Floats, degrees: int) -> Floats:
    """Turn the coefficients that are vectors.

    Raises:
        ConfigError: The sensor is tilted, which the model says for the camera's own axes only.
    """
    if not degrees or d.size < 4 or model in _RADIAL:
        return d
    if d.size > 12 and d[12:].any():
        raise ConfigError("a tilted sensor's calibration cannot be turned")
    turned: Floats = d.copy()
    turn = turn_of_camera(degrees)[:2, :2]
    for places in _TANGENTIAL + (_THIN_PRISM if d.size >= 12 else ()):
        turned[list(places)] = turn @ d[list(places)]
    return turned
