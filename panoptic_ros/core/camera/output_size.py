# SPDX-License-Identifier: Apache-2.0
"""Results at another size than the camera's, for consumers that need, say, that of a cloud."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.result import Result

_NO_PIXEL = np.zeros((1, 1, 3), np.uint8)


def output_size(result: Result, config: CameraConfig) -> tuple[int, int]:
    """Size at which a result is given out, (height, width)."""
    if config.is_network_size:
        height, width = result.panoptic.labels.shape
        return height, width
    if config.output_size is not None:
        return config.output_size[1], config.output_size[0]
    return result.camera_size


def resized(result: Result, config: CameraConfig, needs_image: bool = True) -> Result:
    """Give a result the size that is wanted: all its views, boxes included, follow.

    Args:
        result: The frame's result.
        config: Says which size.
        needs_image: Whether the image is looked at; without, its pixels mean nothing.
    """
    size = output_size(result, config)
    if size == result.camera_size:
        return result
    image = np.broadcast_to(_NO_PIXEL, (*size, 3))
    if needs_image:
        whole = np.ascontiguousarray(result.frame.image)
        image = np.asarray(cv2.resize(whole, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    whole_size = result.frame.whole_size or result.camera_size
    return replace(result, frame=replace(result.frame, image=image, whole_size=whole_size))
