# SPDX-License-Identifier: Apache-2.0
"""Camera pixels to network pixels and back.

The image is stretched to the network's size, so a map pixel (y, x) covers the camera pixels
[y * H / h, (y + 1) * H / h) x [x * W / w, (x + 1) * W / w) and nothing is ever letterboxed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.allocation import transferable
from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.types import Box


def shrink(image: NDArray[np.uint8], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize a camera image into the network's input buffer; of the same size, only copy it.

    Args:
        image: RGB, (H, W, 3) uint8; a negative channel stride says that the memory is BGR.
        out: Where the result goes, (h, w, 3) uint8, contiguous.

    Returns:
        ``out``, RGB, bilinear with half-pixel centres.

    Raises:
        FrameError: The image is empty or not (H, W, 3) uint8.
    """
    if not isinstance(image, np.ndarray):
        raise FrameError(f"image is {type(image).__name__}, needs a NumPy array; was it read?")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise FrameError(f"image is {image.dtype} {image.shape}, needs uint8 (H, W, 3)")
    height, width = out.shape[:2]
    stored = image[..., ::-1] if image.strides[2] < 0 else image
    if image.shape == out.shape:
        return _copy_as_rgb(image, stored, out)
    cv2.resize(stored, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)
    if stored is not image:
        cv2.cvtColor(out, cv2.COLOR_BGR2RGB, dst=out)
    return out


def _copy_as_rgb(
    image: NDArray[np.uint8], stored: NDArray[np.uint8], out: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    if stored is image:
        np.copyto(out, image)
    else:
        cv2.cvtColor(stored, cv2.COLOR_BGR2RGB, dst=out)
    return out


THUMBNAIL = (160, 96)
"""(width, height) of ``thumbnail``."""


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make the small grey image that tells the camera's motion.

    Args:
        image: RGB, (h, w, 3) uint8.

    Returns:
        (96, 160) uint8.
    """
    small = cv2.resize(image, THUMBNAIL, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


Map = TypeVar("Map", NDArray[np.uint8], NDArray[np.uint16], NDArray[np.uint32])


def enlarge(values: Map, size: tuple[int, int]) -> Map:
    """Resize a map to camera size without mixing values.

    Args:
        values: (h, w) uint8, uint16 or uint32: labels, ids, masks, (label, id) pairs.
        size: (height, width) of the camera.

    Returns:
        (height, width), same type, contiguous, nearest neighbour.
    """
    if values.shape == size:
        return np.ascontiguousarray(values)
    large = transferable(size, values.dtype)
    # cv2's INTER_NEAREST takes the upper left neighbour, and EXACT rounds ties off the grid.
    wide = _widened(values, size[1])
    # Any other mode writes to a buffer first.
    wide.take(nearest(values.shape[0], size[0]), axis=0, out=large, mode="clip")
    return cast("Map", large)


def _widened(values: Map, width: int) -> Map:
    """Repeat columns; rows of the turned map are copied whole, five times as fast as columns."""
    if values.shape[1] == width:
        return values
    # OpenCV knows no uint32, and moves numbers of a size alike.
    known = values.view(np.int32) if values.itemsize == 4 else values
    turned = cv2.transpose(known).take(nearest(values.shape[1], width), axis=0)
    return cv2.transpose(turned).view(values.dtype)


def enlarge_pairs(
    labels: NDArray[np.uint8], ids: NDArray[np.uint16], size: tuple[int, int]
) -> NDArray[np.uint16]:
    """Lay two maps side by side as channels, at camera size.

    Args:
        labels: (h, w) uint8.
        ids: (h, w) uint16.
        size: (height, width) of the camera.

    Returns:
        (height, width, 2) uint16, contiguous.
    """
    pairs = np.asarray(cv2.merge((labels.astype(np.uint16), ids)))
    # One 32 bit value per pair: enlarging moves whole pixels.
    wide = enlarge(pairs.view(np.uint32)[..., 0], size)
    return wide[..., None].view(np.uint16)


@lru_cache(maxsize=32)
def nearest(map_length: int, length: int) -> NDArray[np.intp]:
    """Map pixel below the centre of each camera pixel, along one axis."""
    return (2 * np.arange(length) + 1) * map_length // (2 * length)


def enlarge_box(box: Box, map_size: tuple[int, int], size: tuple[int, int]) -> Box:
    """Scale a box from map to camera pixels.

    Args:
        box: (x0, y0, x1, y1), half open, in map pixels.
        map_size: (height, width) of the map.
        size: (height, width) of the camera.

    Returns:
        The camera pixels whose nearest map pixel lies in the box, half open.
    """
    x0, y0, x1, y1 = box
    columns = [_first_pixel(edge, map_size[1], size[1]) for edge in (x0, x1)]
    rows = [_first_pixel(edge, map_size[0], size[0]) for edge in (y0, y1)]
    return columns[0], rows[0], columns[1], rows[1]


def _first_pixel(edge: int, map_length: int, length: int) -> int:
    """First camera pixel whose centre lies at or behind a map edge."""
    return min(length, max(0, -((map_length - 2 * length * edge) // (2 * map_length))))
