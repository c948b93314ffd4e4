# SPDX-License-Identifier: Apache-2.0
"""How the whole image moved between two frames, seen in it or told by other sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CameraMotion:
    """The camera's own motion from the frame before to this one.

    Attributes:
        affine: Two rows of three: takes pixel (x, y) of the map before to where it is in this
            map, ``x' = a x + b y + c``; pixel centres are whole numbers.
        is_known: False where nothing tells it: the first frame, no image, another scene. The
            affine is the identity then.
        is_cut: The two frames show different scenes.
    """

    affine: tuple[tuple[float, float, float], tuple[float, float, float]] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
    )
    is_known: bool = True
    is_cut: bool = False

    @classmethod
    def of_shift(cls, dx: float, dy: float) -> CameraMotion:
        """Make a motion that moves every pixel alike, in map pixels."""
        return cls(((1.0, 0.0, dx), (0.0, 1.0, dy)))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """``affine`` as OpenCV takes it, (2, 3) float64."""
        return np.array(self.affine)

    @property
    def is_shift(self) -> bool:
        """Whether every pixel moves alike."""
        (a, b, _), (c, d, _) = self.affine
        return (a, b, c, d) == (1.0, 0.0, 0.0, 1.0)

    @property
    def scale(self) -> float:
        """By how much lengths grow."""
        (a, b, _), (c, d, _) = self.affine
        return math.sqrt(abs(a * d - b * c))

    def move(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take points (y, x) of the map before into this one, (..., 2)."""
        linear, shift = self.matrix[:, :2], self.matrix[:, 2]
        return np.asarray((points[..., ::-1] @ linear.T + shift)[..., ::-1])


STILL = CameraMotion()
"""The image stays where it is."""

UNKNOWN = CameraMotion(is_known=False)
"""Nothing tells the motion."""

CUT = CameraMotion(is_known=False, is_cut=True)
"""The image shows another scene."""
