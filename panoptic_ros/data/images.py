# SPDX-License-Identifier: Apache-2.0
"""Camera images from files, always on the grid on which their pixels are stored.

Labels, calibrations and networks speak of the sensor's pixels, so an EXIF orientation, which asks
a viewer to turn the image, is not applied by any reader.
"""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.data.exif import UPRIGHT, orientation, orientation_place
from panoptic_ros.data.png import check_png
from panoptic_ros.data.unread import TIFF_STARTS, unread

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
"""Endings of the files that ``read_image`` is asked to read."""

_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a colour image.

    Returns:
        RGB image, shape (H, W, 3), as it is stored.

    Raises:
        DataError: The file is missing, cut off, not an image or too large.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unread(path) from error
    check_png(path, content)
    image = _decoded(_upright(content))
    if image is None:
        raise unread(path)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def is_sixteen_bit(path: Path) -> bool:
    """Whether a file that ``read_image`` could read holds 16 bits per value."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return image is not None and image.dtype == np.uint16


def _decoded(content: bytes) -> NDArray[np.uint8] | None:
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), _FLAGS)
    except cv2.error:  # nothing, or a size beyond OpenCV's limits
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _upright(content: bytes) -> bytes:
    """Say "upright" in a TIFF file: OpenCV turns those whatever its flags are (4.14)."""
    place = orientation_place(content) if content.startswith(TIFF_STARTS) else None
    if place is None:
        return content
    offset, order = place
    return content[:offset] + struct.pack(f"{order}H", UPRIGHT) + content[offset + 2 :]


def exif_orientation(path: Path) -> int:
    """Read how a viewer would turn an image.

    Returns:
        1 to 8 as EXIF counts them; 1, upright, also where the file is missing or does not say it.
    """
    try:
        return orientation(path.read_bytes())
    except OSError:
        return UPRIGHT


def exif_hint(path: Path | None) -> str:
    """Explain a size that differs where an image carries an EXIF orientation.

    Returns:
        The end of a message, empty for an upright image.
    """
    value = UPRIGHT if path is None else exif_orientation(path)
    if value == UPRIGHT:
        return ""
    return (
        f"; the image carries EXIF orientation {value}, which is not applied: labels belong on "
        "the pixels as they are stored"
    )
