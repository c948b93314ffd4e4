# SPDX-License-Identifier: Apache-2.0
"""Label images: decoding them is most of the time of an evaluation."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.core.files.png_chunks import SIGNATURE, DamagedPngError, png_size

_RGB_8_BIT = bytes((8, 2))
_KIND = slice(24, 26)
"""Where a PNG says its bit depth and colour type."""


def read_png(path: Path) -> NDArray[Any]:
    """Read a label image as it is stored; a palette is looked up.

    Uses the decoder of ``kornia-rs`` for 8-bit RGB where it is installed: the same pixels, several
    times sooner.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16; three channels are RGB, four are RGBA.

    Raises:
        DataError: The file is missing, is not an image or is too large.
    """
    kind = _checked_kind(path)
    fast = _fast_decoder()
    if fast is not None and kind == _RGB_8_BIT:
        try:
            return np.asarray(fast.read_image_png_u8(str(path), "rgb"))
        except Exception:  # it raises nothing narrower; cv2 judges damaged files
            pass
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise DataError(f"{path}: missing or not an image")
    if image.ndim == 3:
        to_rgb = cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        image = cv2.cvtColor(image, to_rgb)
    return np.asarray(image)


def _checked_kind(path: Path) -> bytes:
    """Bit depth and colour type of a PNG that can be decoded safely; empty for other files."""
    try:
        content = path.read_bytes()
    except OSError:
        return b""
    if not content.startswith(SIGNATURE):
        return b""
    try:
        height, width = png_size(content)
    except DamagedPngError as error:
        raise DataError(f"{path}: missing or not an image, it {error}") from error
    if not is_image_size(height, width):
        raise DataError(f"{path}: is {width}x{height}, needs {image_limits()}")
    return content[_KIND]


@lru_cache(maxsize=1)
def _fast_decoder() -> Any:
    try:
        return importlib.import_module("kornia_rs.io")
    except ImportError:
        return None
