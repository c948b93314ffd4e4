# SPDX-License-Identifier: Apache-2.0
"""Which true pixels are called drivable: how much of the road, and of what must not be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet

_OTHER, _ROAD, _PAVEMENT, _TERRAIN, _OBJECTS = range(5)


@dataclass(frozen=True)
class DrivableShares:
    """Shares of pixels that are called drivable, 0..1; not a number without such pixels.

    Attributes:
        pavement: Of the pavement.
        terrain: Of unpaved ground, such as grass.
        objects: Of things.
        not_road: Of these three together.
        road_recall: Of what one can drive on.
    """

    pavement: float
    terrain: float
    objects: float
    not_road: float
    road_recall: float


class DrivableShare:
    """Collects pixels by what they are and whether they are called drivable.

    One thread at a time; merge the parts of several.

    Args:
        labels: Classes of the truth.
    """

    def __init__(self, labels: LabelSet) -> None:
        self._kind = np.zeros(256, np.uint8)
        self._kind[labels.terrain] = _TERRAIN
        self._kind[labels.pavement] = _PAVEMENT
        self._kind[labels.drivable] = _ROAD
        self._kind[labels.things] = _OBJECTS
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._pixels = np.zeros((_OBJECTS + 1, 2), np.int64)

    def merge(self, other: DrivableShare) -> None:
        """Add what another one collected for the same classes."""
        self._pixels += other._pixels

    def update(self, labels: NDArray[np.uint8], called: NDArray[np.bool_]) -> None:
        """Add one image.

        Args:
            labels: True class of each pixel, 255 for unknown, (H, W).
            called: Whether it is called drivable, (H, W).

        Raises:
            ValueError: The maps differ in shape.
        """
        if labels.shape != called.shape:
            raise ValueError(f"shapes differ: {labels.shape} and {called.shape}")
        # Void is of no kind, as no label set reaches it.
        pairs = 2 * self._kind[labels] + called
        self._pixels += np.bincount(pairs.ravel(), minlength=self._pixels.size).reshape(-1, 2)

    def result(self) -> DrivableShares:
        """Compute the shares of all images so far."""
        return DrivableShares(
            pavement=self._share(_PAVEMENT),
            terrain=self._share(_TERRAIN),
            objects=self._share(_OBJECTS),
            not_road=self._share(_PAVEMENT, _TERRAIN, _OBJECTS),
            road_recall=self._share(_ROAD),
        )

    def _share(self, *kinds: int) -> float:
        missed, hit = self._pixels[list(kinds)].sum(axis=0).tolist()
        return hit / (missed + hit) if missed + hit else math.nan
