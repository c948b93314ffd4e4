# SPDX-License-Identifier: Apache-2.0
"""Intersection over union of classes, object borders ignored.

Source: Cityscapes' pixel-level evaluation (cityscapesScripts): pixels without truth are ignored, a
prediction of nothing is a miss, and classes that neither side has leave the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.overlap import overlap


@dataclass(frozen=True)
class SemanticResult:
    """What ``SemanticIou`` found.

    Attributes:
        miou: Mean over the classes that occur, 0..1; not a number where none does.
        accuracy: Share of the pixels with truth that are right, 0..1.
        classes: IoU by class index; not a number where the class does not occur.
    """

    miou: float
    accuracy: float
    classes: tuple[float, ...]


class SemanticIou:
    """Collects a confusion matrix. One thread at a time; merge the parts of several.

    Args:
        class_count: Classes are 0..class_count - 1; any other label is void.
    """

    def __init__(self, class_count: int) -> None:
        self._class_count = class_count
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        # The last row and column are void.
        self._confusion = np.zeros((self._class_count + 1,) * 2, np.int64)

    def merge(self, other: SemanticIou) -> None:
        """Add what another one collected for the same classes."""
        self._confusion += other._confusion

    def update(self, truth: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> None:
        """Add one image.

        Args:
            truth: Class index of each pixel, (H, W).
            predicted: Class index of each pixel, (H, W).

        Raises:
            ValueError: The maps differ in shape.
        """
        counts = overlap(truth, predicted)
        rows, columns = np.nonzero(counts)
        self.update_counts(rows, columns, counts[rows, columns])

    def update_counts(
        self,
        truth: NDArray[np.integer],  # type: ignore[type-arg]
        predicted: NDArray[np.integer],  # type: ignore[type-arg]
        pixels: NDArray[np.int64],
    ) -> None:
        """Add pixels that are counted already.

        Args:
            truth: Class index of each group of pixels, (N,).
            predicted: Class index of each group, (N,).
            pixels: Size of each group, (N,).
        """
        rows, columns = (self._or_void(labels) for labels in (truth, predicted))
        np.add.at(self._confusion, (rows, columns), pixels)

    def _or_void(self, labels: NDArray[np.integer]) -> NDArray[np.intp]:  # type: ignore[type-arg]
        is_known = (labels >= 0) & (labels < self._class_count)
        known: NDArray[np.intp] = np.where(is_known, labels, self._class_count).astype(np.intp)
        return known

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Pixels by true and predicted class, the last of each is void, (C + 1, C + 1)."""
        counts: NDArray[np.int64] = self._confusion.copy()
        return counts

    def result(self) -> SemanticResult:
        """Compute the IoU of all images so far."""
        with_truth = self._confusion[:-1]
        right = np.diag(with_truth)
        union = with_truth.sum(axis=1) + with_truth[:, :-1].sum(axis=0) - right
        occurs = union > 0
        classes = np.full(self._class_count, math.nan)
        np.divide(right, union, out=classes, where=occurs)
        total = int(with_truth.sum())
        return SemanticResult(
            miou=float(classes[occurs].mean()) if occurs.any() else math.nan,
            accuracy=float(right.sum()) / total if total else math.nan,
            classes=tuple(classes.tolist()),
        )
