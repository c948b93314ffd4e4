# SPDX-License-Identifier: Apache-2.0
"""Real camera frames that come with the package, to compare engines on.

Drawn images are no substitute: networks have not seen such, are unsure of many pixels, and there
rounding alone turns a class. ``frames/README.md`` says where the frames come from.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.geometry import shrink
from panoptic_ros.core.model import ModelSpec

FOLDER = Path(__file__).with_name("frames")
COUNT = 8


def camera_frames(spec: ModelSpec, count: int = COUNT) -> list[NDArray[np.uint8]]:
    """Read the frames at a model's size, stretched as the pipeline stretches a camera's.

    Args:
        spec: The model.
        count: How many, at most ``COUNT``.

    Returns:
        RGB, each (height, width, 3) uint8.

    Raises:
        ModelError: A frame is missing or damaged: the package is not whole.
    """
    return [_read(FOLDER / f"{number}.jpg", spec) for number in range(1, count + 1)]


def _read(path: Path, spec: ModelSpec) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    if image is None:
        raise ModelError(
            f"{path}: missing or damaged, engines are compared on it; install panoptic_ros anew"
        )
    pixels = np.asarray(image, np.uint8)[..., ::-1]
    return shrink(pixels, np.empty((spec.height, spec.width, 3), np.uint8))
