# SPDX-License-Identifier: Apache-2.0
"""Notice images of 16 bits per value that hold fewer: they come out nearly black.

A message cannot say how many of its bits count, so all 16 do. Cameras that put 10 or 12 bits into
the lower ones leave only a sixteenth of the brightness or less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import Frame
from panoptic_ros.messages.compressed import packed_encodings
from panoptic_ros.messages.encodings import SIXTEEN_BIT

_DARK = 16
"""Upper byte that no value of 12 bits reaches."""

_EVERY = 4
"""Rows and columns of which one is looked at: 0.1 ms at 1080p."""


def dark_hint(message: Any, frame: Frame) -> str:
    """Say what may be wrong with a nearly black image of 16 bits per value, else nothing.

    Args:
        message: Image or CompressedImage that could be read.
        frame: What was read from it.
    """
    if hasattr(message, "format"):
        encoding = packed_encodings(str(message.format))[0]
    else:
        encoding = str(message.encoding)
    return dark_words(encoding) if encoding in SIXTEEN_BIT and is_dark(frame.image) else ""


def is_dark(image: NDArray[np.uint8]) -> bool:
    """Whether the upper bytes of an image of 16 bits per value, (H, W, 3), may be empty."""
    return bool(image[::_EVERY, ::_EVERY].max() < _DARK)


def dark_words(encoding: str) -> str:
    """Say of an image of 16 bits per value that it is dark, and what helps.

    Args:
        encoding: What to call it.
    """
    return (
        f"{encoding} image is nearly black: no value reaches 4096 of 65535; if the camera has 12 "
        "bits, let its driver shift them to the upper end, or choose an encoding of 8 bits"
    )
