# SPDX-License-Identifier: Apache-2.0
"""The one primitive behind voting, tracking, PQ, STQ and VPQ: a joint histogram of two id maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def overlap(a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.int64]:  # type: ignore[type-arg]
    """Count the pixels of every pair of ids.

    Args:
        a: Ids, 0.., any shape; meant for small numbers, the result has a row for each.
        b: Ids, same shape as ``a``.

    Returns:
        Pixel counts, shape (max(a) + 1, max(b) + 1); the sum of row i is the area of id i in
        ``a``. Empty maps give shape (1, 1).

    Raises:
        ValueError: The shapes differ.

    >>> overlap(np.array([0, 1, 1]), np.array([2, 0, 2])).tolist()
    [[0, 0, 1], [1, 0, 1]]
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    if a.size == 0:
        return np.zeros((1, 1), np.int64)
    rows, columns = int(a.max()) + 1, int(b.max()) + 1
    # bincount converts to intp anyway; doing it once, in place, saves two passes.
    pair = a.astype(np.intp).ravel()
    pair *= columns
    pair += b.ravel()
    counts = np.bincount(pair, minlength=rows * columns)
    return counts.reshape(rows, columns).astype(np.int64, copy=False)
