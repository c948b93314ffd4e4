# SPDX-License-Identifier: Apache-2.0
"""Whether the confidence image means what it says: expected calibration error.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3, over pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEVELS = 256


@dataclass(frozen=True)
class Bin:
    """Pixels of similar confidence.

    Attributes:
        confidence: Their mean confidence, 0..1.
        accuracy: Share of them that is right, 0..1.
        pixels: How many they are.
    """

    confidence: float
    accuracy: float
    pixels: int


@dataclass(frozen=True)
class CalibrationResult:
    """What ``Calibration`` found.

    Attributes:
        error: Expected calibration error, 0..1; not a number without pixels.
        largest_error: That of the worst bin.
        bins: Those that hold pixels, by rising confidence.
    """

    error: float
    largest_error: float
    bins: tuple[Bin, ...]


class Calibration:
    """Collects right and wrong pixels by confidence. One thread at a time; merge parts.

    Args:
        bins: How many bins of equal width the error is computed from.
    """

    def __init__(self, bins: int = 15) -> None:
        # Level 0 is in the first bin; the others are open below, closed above.
        levels = np.arange(_LEVELS)
        self._bin_of = np.maximum(0, -(-levels * bins // (_LEVELS - 1)) - 1)
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._pixels = np.zeros(_LEVELS, np.int64)
        self._right = np.zeros(_LEVELS, np.int64)

    def merge(self, other: Calibration) -> None:
        """Add what another one collected."""
        self._pixels += other._pixels
        self._right += other._right

    def update(
        self,
        truth: NDArray[np.uint8],
        predicted: NDArray[np.uint8],
        confidence: NDArray[np.uint8],
        void: int = 255,
    ) -> None:
        """Add one image.

        Args:
            truth: Class index of each pixel, (H, W).
            predicted: Class index of each pixel, (H, W).
            confidence: 0..255 for a probability of 0..1, (H, W).
            void: Label of pixels that are left out where truth or prediction has it.

        Raises:
            ValueError: The maps differ in shape.
        """
        if not truth.shape == predicted.shape == confidence.shape:
            shapes = f"{truth.shape}, {predicted.shape} and {confidence.shape}"
            raise ValueError(f"shapes differ: {shapes}")
        counted = (truth != void) & (predicted != void)
        self._pixels += np.bincount(confidence[counted], minlength=_LEVELS)
        right = counted & (truth == predicted)
        self._right += np.bincount(confidence[right], minlength=_LEVELS)

    def result(self) -> CalibrationResult:
        """Compute the error over all images so far."""
        pixels = np.bincount(self._bin_of, weights=self._pixels)
        right = np.bincount(self._bin_of, weights=self._right)
        levels = np.arange(_LEVELS) / (_LEVELS - 1)
        certainty = np.bincount(self._bin_of, weights=self._pixels * levels)
        filled = [
            Bin(sure / count, good / count, int(count))
            for sure, good, count in zip(
                certainty.tolist(), right.tolist(), pixels.tolist(), strict=True
            )
            if count
        ]
        if not filled:
            return CalibrationResult(math.nan, math.nan, ())
        gaps = [abs(entry.accuracy - entry.confidence) for entry in filled]
        total = sum(entry.pixels for entry in filled)
        error = sum(gap * entry.pixels for gap, entry in zip(gaps, filled, strict=True)) / total
        return CalibrationResult(error, max(gaps), tuple(filled))
