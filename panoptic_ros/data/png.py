# SPDX-License-Identifier: Apache-2.0
"""Label pictures: decoding them is most of the time of an evaluation."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError

_RGB_8_BIT = bytes((8, 2))
_KIND = slice(24, 26)
"""Where a PNG says its bit depth and colour type."""


def read_png(path: Path) -> NDArray[Any]:
    """Read a label picture as it is stored; a palette is looked up.

    Uses the decoder of ``kornia-rs`` for 8-bit RGB where it is installed: the same pixels, several
    times sooner.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16; three channels are RGB, four are RGBA.

    Raises:
        DataError: The file is missing or is not a picture.
    """
    fast = _fast_decoder()
    if fast is not None and _kind(path) == _RGB_8_BIT:
        try:
            return np.asarray(fast.read_image_png_u8(str(path), "rgb"))
        except Exception:  # it raises nothing narrower; cv2 judges damaged files
            pass
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise DataError(f"{path}: missing or not a picture")
    if picture.ndim == 3:
        to_rgb = cv2.COLOR_BGR2RGB if picture.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        picture = cv2.cvtColor(picture, to_rgb)
    return np.asarray(picture)


def _kind(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_KIND.stop)[_KIND]
    except OSError:
        return b""


@lru_cache(maxsize=1)
def _fast_decoder() -> Any:
    try:
        return importlib.import_module("kornia_rs.io")
    except ImportError:
        return None
