# SPDX-License-Identifier: Apache-2.0
"""A street in the colours of Cityscapes, and somebody's model that knows classes by colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_documents import find_label_set
from panoptic_ros.core.classes.labels import LabelSet
from test.drawn.foreign_model import painted_model

SIZE = (96, 192)
CAR_SIZE = (16, 32)


def labels() -> LabelSet:
    return find_label_set("cityscapes")


def write_foreign(path: Path) -> Path:
    """Write the model: BGR of 0..1, NHWC, scores at the image's size."""
    palette = labels().palette[: len(labels())]
    onnx.save(painted_model(palette, SIZE), str(path))
    return path


def street(*cars: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint16]]:
    """Sky above, road below, cars at columns in between.

    Returns:
        RGB image (H, W, 3), class indices, and the number of each car, from 1.
    """
    known = labels()
    classes = np.full(SIZE, known.index("road"), np.uint8)
    classes[: SIZE[0] // 3] = known.index("sky")
    ids = np.zeros(SIZE, np.uint16)
    for number, left in enumerate(cars, start=1):
        box = (slice(40, 40 + CAR_SIZE[0]), slice(left, left + CAR_SIZE[1]))
        classes[box], ids[box] = known.index("car"), number
    return known.palette[classes], classes, ids
