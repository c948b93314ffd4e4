# SPDX-License-Identifier: Apache-2.0
"""Maps read back from the Image messages that the node publishes."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.png_chunks import SIGNATURE

LAYOUTS: Mapping[str, tuple[type[np.generic], int]] = {
    "mono8": (np.uint8, 1),
    "16UC1": (np.uint16, 1),
    "16UC2": (np.uint16, 2),
    "32SC1": (np.int32, 1),
    "rgb8": (np.uint8, 3),
}
"""Type of a value and channels, by encoding."""


def pixels_of(message: Any, encodings: Collection[str], where: str) -> NDArray[Any]:
    """Read the pixels of an Image as they were before they became a message.

    Args:
        message: An Image of any message library.
        encodings: What the node publishes there, out of ``LAYOUTS``.
        where: Names the message in errors.

    Returns:
        (H, W), or (H, W, C) where the encoding has several channels, in this machine's byte order.

    Raises:
        DataError: It has another encoding, or its size and its data differ.
    """
    encoding = str(message.encoding)
    if encoding not in encodings:
        ours = " or ".join(encodings)
        raise DataError(f"{where}: has encoding {encoding}, the node's is {ours}")
    kind, channels = LAYOUTS[encoding]
    height, width = int(message.height), int(message.width)
    row = width * channels * np.dtype(kind).itemsize
    data = np.frombuffer(message.data, np.uint8)
    step = int(message.step)
    if step < row or data.size < step * height:
        raise DataError(f"{where}: {width}x{height} with a step of {step} in {data.size} bytes")
    lines = data[: step * height].reshape(height, step)[:, :row]
    values = np.ascontiguousarray(lines).view(kind)
    if bool(message.is_bigendian) != (sys.byteorder == "big"):
        values = values.byteswap()
    return values if channels == 1 else values.reshape(height, width, channels)


def png_pixels(message: Any, encodings: Collection[str], where: str) -> NDArray[Any]:
    """Read the pixels of a map of one channel that was published as lossless PNG.

    Args:
        message: A CompressedImage of any message library.
        encodings: What the node publishes there, out of ``LAYOUTS``.
        where: Names the message in errors.

    Returns:
        (H, W).

    Raises:
        DataError: It is no PNG of such an image.
    """
    encoding = str(message.format).split(";")[0]
    if encoding not in encodings:
        ours = " or ".join(encodings)
        raise DataError(f"{where}: has encoding {encoding}, the node's is {ours}")
    data = np.frombuffer(message.data, np.uint8)
    is_png = data[: len(SIGNATURE)].tobytes() == SIGNATURE
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if is_png else None
    if pixels is None or pixels.ndim != 2 or pixels.dtype != LAYOUTS[encoding][0]:
        raise DataError(f"{where}: holds no PNG of {encoding}")
    return np.asarray(pixels)
