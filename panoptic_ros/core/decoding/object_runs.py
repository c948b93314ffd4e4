# SPDX-License-Identifier: Apache-2.0
"""Objects of a map as runs of pixels along its rows: counts and boxes cost by the runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import boxes_of_runs
from panoptic_ros.core.runs import runs
from panoptic_ros.core.types import Box


@dataclass(frozen=True, eq=False)
class ObjectRuns:
    """Runs of pixels of one row with one owner and one class; pixels without owner are in none.

    Attributes:
        owner: Number of the owner, 1.., (R,).
        label: Class index, (R,) uint8.
        first: Index of the first pixel in the raveled map, ascending, (R,).
        length: Pixels, (R,).
        shape: (h, w) of the map.
    """

    owner: NDArray[np.intp]
    label: NDArray[np.uint8]
    first: NDArray[np.intp]
    length: NDArray[np.intp]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, owner: NDArray[np.uint16], classes: NDArray[np.uint8]) -> ObjectRuns:
        """Find them.

        Args:
            owner: Owner of each pixel, 0 for none, (h, w).
            classes: Class index of each pixel, (h, w).
        """
        first, length = runs(owner, classes, by_row=True)
        owners = owner.ravel().take(first)
        owned = np.flatnonzero(owners)
        first, length = first.take(owned), length.take(owned)
        label = classes.ravel().take(first)
        return cls(owners.take(owned).astype(np.intp), label, first, length, owner.shape)

    def counts(self, count: int) -> NDArray[np.int64]:
        """Count each owner's pixels of each class.

        Args:
            count: Largest owner.

        Returns:
            (count + 1, 256); row 0 is empty.
        """
        key = self.owner * 256 + self.label
        # Whole numbers in float64 are exact.
        counts = np.bincount(key, self.length, minlength=(count + 1) * 256)
        return counts.reshape(count + 1, 256).astype(np.int64)

    def sums(self, values: NDArray[np.uint8], count: int) -> NDArray[np.float64]:
        """Sum up a map over each owner's pixels of each class.

        Args:
            values: The map, (h, w).
            count: Largest owner.

        Returns:
            (count + 1, 256), whole numbers; row 0 is empty.
        """
        if self.first.size == 0:
            return np.zeros((count + 1, 256))
        # Every other part lies between two runs; the last may end where the map does.
        edges = np.stack((self.first, self.first + self.length), axis=1).ravel()
        ends = edges[:-1] if edges[-1] == values.size else edges
        sums = np.add.reduceat(values.ravel(), ends, dtype=np.uint32)[::2]
        key = self.owner * 256 + self.label
        totals = np.bincount(key, sums, minlength=(count + 1) * 256)
        return np.asarray(totals.reshape(count + 1, 256), np.float64)

    def boxes(
        self, number: NDArray[np.uint16], count: int, origin: tuple[int, int] = (0, 0)
    ) -> list[Box]:
        """Find the boxes of some owners, as ``bounding_boxes`` gives them.

        Args:
            number: New number of each owner, 1..count, 0 for those that are left out, (owners,).
            count: Largest new number; each has a run.
            origin: (x, y) of the map in a larger one, which the boxes are in.
        """
        owner, (x, y) = number.take(self.owner).astype(np.intp), origin
        boxes = boxes_of_runs(owner, self.first, self.length, self.shape, count)
        return [(x0 + x, y0 + y, x1 + x, y1 + y) for x0, y0, x1, y1 in boxes]
