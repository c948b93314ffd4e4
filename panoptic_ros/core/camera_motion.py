# SPDX-License-Identifier: Apache-2.0
"""How the whole picture moved between two frames, seen in a thumbnail or told by other sensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_MIN_PEAK = 0.15
_MAX_SHIFT = 0.25


@dataclass(frozen=True)
class CameraMotion:
    """The camera's own motion from the frame before to this one.

    Attributes:
        affine: Two rows of three: takes pixel (x, y) of the map before to where it is in this
            map, ``x' = a x + b y + c``; pixel centres are whole numbers.
        is_known: False where nothing tells it: the first frame, no picture, another scene. The
            affine is the identity then.
    """

    affine: tuple[tuple[float, float, float], tuple[float, float, float]] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
    )
    is_known: bool = True

    @classmethod
    def of_shift(cls, dx: float, dy: float) -> CameraMotion:
        """Make a motion that moves every pixel alike, in map pixels."""
        return cls(((1.0, 0.0, dx), (0.0, 1.0, dy)))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """``affine`` as OpenCV takes it, (2, 3) float64."""
        return np.array(self.affine)

    def move(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take points (y, x) of the map before into this one, (..., 2)."""
        linear, shift = self.matrix[:, :2], self.matrix[:, 2]
        return np.asarray((points[..., ::-1] @ linear.T + shift)[..., ::-1])


STILL = CameraMotion()
"""The picture stays where it is."""

UNKNOWN = CameraMotion(is_known=False)
"""Nothing tells the motion."""


def motion_between(
    before: NDArray[np.uint8] | None, now: NDArray[np.uint8] | None, shape: tuple[int, ...]
) -> CameraMotion:
    """Estimate the motion of the whole picture by phase correlation.

    Args:
        before: Grey thumbnail of the frame before, (h, w) uint8, or None.
        now: That of this frame.
        shape: (height, width) of the maps that the motion is meant for.

    Returns:
        ``UNKNOWN`` where there are not two pictures of one size, or where they do not show the
        same scene.
    """
    if before is None or now is None or before.shape != now.shape:
        return UNKNOWN
    pictures = before.astype(np.float32), now.astype(np.float32)
    (dx, dy), peak = cv2.phaseCorrelate(*pictures, _window(before.shape))
    share = np.array([dx / now.shape[1], dy / now.shape[0]])
    if peak < _MIN_PEAK or np.abs(share).max() > _MAX_SHIFT:
        return UNKNOWN
    return CameraMotion.of_shift(float(share[0] * shape[1]), float(share[1] * shape[0]))


@lru_cache(maxsize=4)
def _window(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.asarray(cv2.createHanningWindow(shape[::-1], cv2.CV_32F), np.float32)
