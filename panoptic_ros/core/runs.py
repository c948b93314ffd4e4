# SPDX-License-Identifier: Apache-2.0
"""Runs of equal pixels: a label map has few of them, so that sorting runs is sorting little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def runs(
    *maps: NDArray[np.integer],  # type: ignore[type-arg]
    by_row: bool = False,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the runs of pixels, in reading order, over which no map changes.

    Args:
        maps: One or more of the same shape.
        by_row: End each run with its row, of maps of two axes.

    Returns:
        Index of the first pixel of each run in the ravelled maps, and the pixels in it, (R,) each.

    Raises:
        ValueError: The shapes differ.
    """
    first = maps[0]
    for other in maps[1:]:
        if other.shape != first.shape:
            raise ValueError(f"shapes differ: {first.shape} and {other.shape}")
    # Two buffers of a byte a pixel: fresh memory costs more than the comparisons do.
    changes = np.zeros(first.size, np.bool_)
    changes[:1] = True
    differs = np.empty(max(first.size - 1, 0), np.bool_)
    for flat in (values.ravel() for values in maps):
        np.not_equal(flat[1:], flat[:-1], out=differs)
        changes[1:] |= differs
    if by_row:
        changes[:: max(1, first.shape[1])] = True
    starts = np.flatnonzero(changes)
    lengths = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1:] = first.size - starts[-1:]
    return starts, lengths
