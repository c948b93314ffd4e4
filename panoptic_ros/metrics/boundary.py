# SPDX-License-Identifier: Apache-2.0
"""Boundary IoU of classes: overlap counted only near the contours, where large masks go wrong.

Source: Cheng et al. 2021, "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation",
equation 2: the inner rim of a mask, as wide as a share of the image's diagonal; the image's
edge counts as contour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BoundaryResult:
    """What ``BoundaryIou`` found.

    Attributes:
        mean: Mean over the classes that occur, 0..1; not a number where none does.
        classes: Boundary IoU by class index; not a number where the class does not occur.
    """

    mean: float
    classes: tuple[float, ...]


class BoundaryIou:
    """Collects rim pixels over images. One thread at a time; merge the parts of several.

    Args:
        class_count: Classes are 0..class_count - 1; any other label is void.
        width: Of the rim, as a share of the image's diagonal.
    """

    def __init__(self, class_count: int, width: float = 0.02) -> None:
        self._class_count = class_count
        self._width = width
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._both = np.zeros(self._class_count, np.int64)
        self._either = np.zeros(self._class_count, np.int64)

    def merge(self, other: BoundaryIou) -> None:
        """Add what another one collected for the same classes."""
        self._both += other._both
        self._either += other._either

    def update(self, truth: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> None:
        """Add one image.

        Args:
            truth: Class index of each pixel, (H, W); pixels without a class are ignored.
            predicted: Class index of each pixel, (H, W).

        Raises:
            ValueError: The maps differ in shape.
        """
        if truth.shape != predicted.shape:
            raise ValueError(f"shapes differ: {truth.shape} and {predicted.shape}")
        width = max(1, round(self._width * math.hypot(*truth.shape)))
        is_known = truth < self._class_count
        for label in range(self._class_count):
            true, found = truth == label, predicted == label
            if not true.any() and not found.any():
                continue
            true_rim, found_rim = rim(true, width), rim(found, width) & is_known
            self._both[label] += np.count_nonzero(true_rim & found_rim)
            self._either[label] += np.count_nonzero(true_rim | found_rim)

    def result(self) -> BoundaryResult:
        """Compute the boundary IoU of all images so far."""
        occurs = self._either > 0
        classes = np.full(self._class_count, math.nan)
        np.divide(self._both, self._either, out=classes, where=occurs)
        mean = float(classes[occurs].mean()) if occurs.any() else math.nan
        return BoundaryResult(mean, tuple(classes.tolist()))


def rim(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Find the pixels of a mask within some steps, diagonal ones too, of what is not mask.

    Args:
        mask: (H, W).
        width: Steps, at least 1. Outside of the image nothing is mask.

    >>> rim(np.ones((3, 4), bool), 1).astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    padded = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inner = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
    near: NDArray[np.bool_] = mask & (inner == 0)
    return near
