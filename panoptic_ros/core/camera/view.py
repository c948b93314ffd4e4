# SPDX-License-Identifier: Apache-2.0
"""From the image that a camera sends to the one that is looked at: a part of it, upright."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.ego_mask import EgoMask, at_map_size
from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.geometry import shrink
from panoptic_ros.core.types import Frame

_CODES = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class CameraView:
    """How the images of one camera are taken; used by one thread.

    Args:
        config: What is said about the camera.

    Attributes:
        config: The same.
        camera_size: (height, width) of the camera's last image, None before the first.

    Raises:
        ConfigError: The ego vehicle's mask cannot be read.
    """

    def __init__(self, config: CameraConfig | None = None) -> None:
        self.config = config or CameraConfig()
        self.camera_size: tuple[int, int] | None = None
        self._mask = EgoMask(self.config.ego_mask) if self.config.ego_mask else None
        self._ego: NDArray[np.bool_] | None = None
        self._ego_sizes: tuple[tuple[int, int], tuple[int, int]] | None = None

    def shrink(self, image: NDArray[np.uint8], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bring an image into the network's input buffer, as ``geometry.shrink`` does.

        Args:
            image: As the camera sends it, (H, W, 3) uint8.
            out: Where the upright part goes, (h, w, 3) uint8, contiguous.

        Raises:
            FrameError: The image cannot be used, the part reaches beyond it, or the own
                vehicle's mask is for another size.
        """
        if isinstance(image, np.ndarray) and image.ndim == 3:
            self.camera_size = _size(image)
            self.check(self.camera_size)
        part = self._part(image)
        if not self.config.rotation:
            return shrink(part, out)
        height, width = out.shape[:2]
        size = (height, width) if self.config.rotation == 180 else (width, height)
        # Turning the few pixels of the network costs less than turning the camera's.
        small = shrink(part, np.empty((*size, 3), np.uint8))
        cv2.rotate(small, _CODES[self.config.rotation], dst=out)
        return out

    def check(self, size: tuple[int, int]) -> None:
        """Refuse images that the part or the own vehicle's mask does not fit.

        Args:
            size: (height, width) of the image as the camera sends it.

        Raises:
            FrameError: The part reaches beyond it, or the mask is for another size.
        """
        self._check_region(size)
        if self._mask is not None:
            self._mask.check(size)

    def look(self, frame: Frame) -> Frame:
        """Give the frame that results are about; its image is a view of the camera's."""
        if self.config.region is None and not self.config.rotation:
            return frame
        image = _turned(self._part(frame.image), self.config.rotation)
        return replace(frame, image=image, whole_size=_size(frame.image))

    def ego(self, frame: Frame, map_size: tuple[int, int]) -> NDArray[np.bool_] | None:
        """Give the ego vehicle at map size, upright; None where nothing is said about it.

        Args:
            frame: As the camera sent it.
            map_size: (height, width).
        """
        if self._mask is None:
            return None
        sizes = (_size(frame.image), map_size)
        if self._ego is None or sizes != self._ego_sizes:
            part = self._part(self._mask.at(sizes[0]))
            self._ego = at_map_size(_turned(part, self.config.rotation), map_size)
            self._ego_sizes = sizes
        return self._ego

    def _part(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        region = self.config.region
        if region is None or not isinstance(image, np.ndarray) or image.ndim < 2:
            return image
        self._check_region(_size(image))
        x, y, width, height = region
        return image[y : y + height, x : x + width]

    def _check_region(self, size: tuple[int, int]) -> None:
        if self.config.region is None:
            return
        x, y, width, height = self.config.region
        if y + height > size[0] or x + width > size[1]:
            raise FrameError(
                f"region {x},{y},{width},{height} reaches beyond the image of {size[1]}x{size[0]}"
            )


def _turned(image: NDArray[np.uint8], degrees: int) -> NDArray[np.uint8]:
    """Turn an image clockwise without copying it."""
    return np.rot90(image, -(degrees // 90)) if degrees else image


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = image.shape[:2]
    return height, width
