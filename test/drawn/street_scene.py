# SPDX-License-Identifier: Apache-2.0
"""Images that the tiny model reads: red is the label, green the confidence, blue a centre."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from test.drawn.tiny_model import write_tiny_model

MAP_SIZE = (32, 64)
SCALE = 4
CAMERA_SIZE = (MAP_SIZE[0] * SCALE, MAP_SIZE[1] * SCALE)
CAR_SIZE = (8, 12)


def write_model(folder: Path) -> Path:
    return write_tiny_model(folder / "tiny.onnx", size=(MAP_SIZE[1], MAP_SIZE[0]))


def street(*cars: tuple[int, int], confidence: int = 230) -> NDArray[np.uint8]:
    """Road everywhere, with cars at (y, x) of their upper left corners in map pixels.

    Returns:
        RGB at ``CAMERA_SIZE``; every map pixel is a block of one colour.
    """
    image = np.zeros((*MAP_SIZE, 3), np.uint8)
    image[..., 1] = confidence
    for y, x in cars:
        image[y : y + CAR_SIZE[0], x : x + CAR_SIZE[1], 0] = 1
        image[y + CAR_SIZE[0] // 2, x + CAR_SIZE[1] // 2, 2] = 255
    return image.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
