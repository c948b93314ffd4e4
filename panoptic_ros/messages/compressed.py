# SPDX-License-Identifier: Apache-2.0
"""JPEG and PNG as ``sensor_msgs/CompressedImage`` carries them, to RGB and back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.files.png_chunks import HEADER_BYTES, SIGNATURE, DamagedPngError, png_size
from panoptic_ros.messages.encodings import check_size

_JPEG_START = b"\xff\xd8"
_JPEG_END = b"\xff\xd9"
# Start-of-frame markers: 0xC0..0xCF without DHT (C4), JPG (C8) and DAC (CC).
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# The camera's pixel grid is what camera_info speaks of: an EXIF orientation must not turn it.
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def decompress(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG image.

    Args:
        data: The file, (n,) uint8.

    Returns:
        RGB, (H, W, 3) uint8, a view with a negative channel stride.

    Raises:
        FrameError: It is no JPEG or PNG, is cut off, damaged or too large.
    """
    content = data.tobytes()
    if content.startswith(_JPEG_START):
        height, width, end = _jpeg_size(content)
        if content.rfind(_JPEG_END, end) < 0:
            raise FrameError(f"jpeg image of {width}x{height} is cut off after {len(content)} B")
    elif content.startswith(SIGNATURE) and len(content) >= HEADER_BYTES:
        height, width = _png_size(content)
    else:
        raise FrameError(
            f"compressed image starts with {content[:8].hex() or 'nothing'}; "
            "needs a JPEG or PNG file"
        )
    check_size(height, width)
    image = _decoded(data)
    if image is None:
        raise FrameError(f"compressed image of {width}x{height} is damaged")
    return image[..., ::-1]


def compress(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Encode an image as JPEG.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1..100.

    Returns:
        The file, (n,) uint8.
    """
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(content, np.uint8).reshape(-1)


def _decoded(data: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    try:
        image = cv2.imdecode(data, _FLAGS)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _png_size(content: bytes) -> tuple[int, int]:
    try:
        return png_size(content)
    except DamagedPngError as error:
        raise FrameError(f"png image of {len(content)} bytes is damaged, it {error}") from error


def _jpeg_size(content: bytes) -> tuple[int, int, int]:
    """Height, width and the end of the segment that says so; T.81 annex B."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _FRAME_MARKERS:
            height = int.from_bytes(content[at + 5 : at + 7], "big")
            width = int.from_bytes(content[at + 7 : at + 9], "big")
            return height, width, at + 9
        is_fill = marker == 0xFF
        at += 1 if is_fill else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    raise FrameError(f"jpeg image of {len(content)} bytes has no frame header; it is damaged")
