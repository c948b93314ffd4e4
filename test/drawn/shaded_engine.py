# SPDX-License-Identifier: Apache-2.0
"""An engine that sees an object per shade of the car's colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from test.drawn.painted_engine import HEIGHT, WIDTH, PaintedEngine


class ShadedEngine(PaintedEngine):
    """As ``PaintedEngine``; car pixels whose red differs are of different cars."""

    def infer(self, image: NDArray[np.uint8]) -> CenterOffsetHeads:
        labels = super().infer(image).labels
        centers = np.zeros((HEIGHT, WIDTH), np.uint8)
        offsets = np.zeros((2, HEIGHT, WIDTH), np.float32)
        place = np.indices((HEIGHT, WIDTH))
        for shade in np.unique(image[..., 0][labels == 2]).tolist():
            is_car = (labels == 2) & (image[..., 0] == shade)
            center = np.array([round(float(axis[is_car].mean())) for axis in place])
            centers[tuple(center)] = 240
            offsets[:, is_car] = (center[:, None, None] - place)[:, is_car]
        return CenterOffsetHeads(labels, np.full_like(labels, 204), centers, offsets)
