# SPDX-License-Identifier: Apache-2.0
"""How many pixels two maps of large ids share: the joint histogram of ids up to 2**32.

``core.overlap`` is dense and meant for small ids. Here ids are sparse (COCO's go up to 2**24), so
the maps are cut into runs of equal pairs first: a label map has some ten thousand runs where it
has two million pixels, and only the runs are sorted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.runs import runs


@dataclass(frozen=True, eq=False)
class Intersections:
    """Every pair of ids that shares pixels, sorted by truth, then by prediction.

    Attributes:
        truth: Id in the truth, (N,) int64.
        predicted: Id in the prediction, (N,) int64.
        pixels: Pixels that have both, (N,) int64, at least 1.
    """

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def predicted_areas(self) -> dict[int, int]:
        """Pixels of each id in the prediction."""
        return _totals(self.predicted, self.pixels)

    def truth_areas(self) -> dict[int, int]:
        """Pixels of each id in the truth."""
        return _totals(self.truth, self.pixels)


def intersect(
    truth: NDArray[np.integer],  # type: ignore[type-arg]
    predicted: NDArray[np.integer],  # type: ignore[type-arg]
) -> Intersections:
    """Count the pixels of every pair of ids.

    Args:
        truth: Ids, 0..2**32 - 1, any shape.
        predicted: Ids, 0..2**32 - 1, same shape.

    Raises:
        ValueError: The shapes differ.

    >>> shared = intersect(np.array([7, 7, 9]), np.array([1, 2, 2]))
    >>> shared.truth.tolist(), shared.predicted.tolist(), shared.pixels.tolist()
    ([7, 7, 9], [1, 2, 2], [1, 1, 1])
    """
    starts, lengths = runs(truth, predicted)
    return count_pairs(truth.ravel()[starts], predicted.ravel()[starts], lengths)


def count_pairs(
    truth: NDArray[np.integer],  # type: ignore[type-arg]
    predicted: NDArray[np.integer],  # type: ignore[type-arg]
    lengths: NDArray[np.integer],  # type: ignore[type-arg]
) -> Intersections:
    """Sum the lengths of runs by their pair of ids.

    Args:
        truth: Id of each run, 0..2**32 - 1, (R,).
        predicted: Id of each run, 0..2**32 - 1, (R,).
        lengths: Pixels of each run, (R,).
    """
    packed = (truth.astype(np.uint64) << np.uint64(32)) | predicted.astype(np.uint64)
    # Half of the time of np.unique with its inverse.
    ordered = np.sort(packed)
    is_first = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    pairs = ordered[is_first]
    which = np.searchsorted(pairs, packed)
    pixels = np.bincount(which, weights=lengths, minlength=pairs.size)
    return Intersections(
        truth=(pairs >> np.uint64(32)).astype(np.int64),
        predicted=(pairs & np.uint64(0xFFFFFFFF)).astype(np.int64),
        pixels=pixels.astype(np.int64),
    )


def _totals(ids: NDArray[np.int64], pixels: NDArray[np.int64]) -> dict[int, int]:
    names, which = np.unique(ids, return_inverse=True)
    sums = np.bincount(which.ravel(), weights=pixels, minlength=names.size).astype(np.int64)
    return dict(zip(names.tolist(), sums.tolist(), strict=True))
