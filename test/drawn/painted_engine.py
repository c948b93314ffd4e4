# SPDX-License-Identifier: Apache-2.0
"""An engine that reads classes and objects from the colours of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.model import ModelSpec

WIDTH, HEIGHT = 64, 48

LABELS = LabelSet(
    "painted",
    (
        Label(0, "road", False, True, (128, 64, 128), is_flat=True),
        Label(1, "sky", False, False, (70, 130, 180), is_flat=True),
        Label(2, "car", True, False, (0, 0, 142), "vehicle"),
        Label(3, "moon", False, False, (250, 250, 200)),
    ),
)

SKY, ROAD, CAR, MOON = (0, 0, 200), (100, 100, 100), (200, 0, 0), (230, 230, 0)
_COLORS = {1: SKY, 0: ROAD, 2: CAR, 3: MOON}


def street(car_x: int = 20, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Sky above, road below, one car 12 x 8 px, at ``WIDTH`` x ``HEIGHT`` and enlarged."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:24], image[24:] = SKY, ROAD
    image[2:8, 2:8] = MOON
    image[26:34, car_x : car_x + 12] = CAR
    scale = (height // HEIGHT, width // WIDTH)
    return image.repeat(scale[0], axis=0).repeat(scale[1], axis=1)


class PaintedEngine:
    """Class by nearest colour; one object for all pixels of the car's colour."""

    description = "painted images"

    def __init__(self) -> None:
        self.spec = ModelSpec("painted", WIDTH, HEIGHT, "center_offset", LABELS)
        self.input = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        self.is_closed = False

    def infer(self, image: NDArray[np.uint8]) -> CenterOffsetHeads:
        palette = np.array([_COLORS[index] for index in range(4)], np.int32)
        distance = np.abs(image[:, :, None].astype(np.int32) - palette).sum(axis=-1)
        labels = distance.argmin(axis=-1).astype(np.uint8)
        rows, columns = np.nonzero(labels == 2)
        centers = np.zeros((HEIGHT, WIDTH), np.uint8)
        offsets = np.zeros((2, HEIGHT, WIDTH), np.float32)
        if rows.size:
            center = (round(float(rows.mean())), round(float(columns.mean())))
            centers[center] = 240
            offsets[0] = center[0] - np.arange(HEIGHT)[:, None]
            offsets[1] = center[1] - np.arange(WIDTH)[None]
        return CenterOffsetHeads(labels, np.full_like(labels, 204), centers, offsets)

    def close(self) -> None:
        self.is_closed = True
