# SPDX-License-Identifier: Apache-2.0
"""The peaks of a heat map of centres: its maxima, those on one plateau being one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import DecodeConfig

PLATEAU_REACH_PX = 2
"""Half of the window in which ``panoptic export`` looks for maxima: nearer ones are equal."""


def find_peaks(
    maxima: NDArray[np.uint8], config: DecodeConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the peaks that are high enough, at most ``config.max_objects``.

    Args:
        maxima: The heat map's score times 255 where it is a local maximum, else 0, (h, w).
        config: Thresholds.

    Returns:
        Strongest first: positions (y, x), (K, 2), and scores in 0..1, (K,).
    """
    least = max(1, int(np.ceil(config.center_threshold * 255.0)))
    found = np.flatnonzero(maxima >= least)
    positions = np.stack(np.divmod(found, maxima.shape[1]), axis=1)
    values = maxima.ravel().take(found)
    first, middles = _plateaus(maxima, positions, values)
    values = values[first]
    order = np.argsort(-values.astype(np.int16), kind="stable")[: config.max_objects]
    return middles[order], values[order].astype(np.float32) / np.float32(255.0)


def _plateaus(
    maxima: NDArray[np.uint8], positions: NDArray[np.intp], values: NDArray[np.uint8]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Join the maxima that lie on one plateau.

    With 16 or 8 bits the top of an object is flat: several of its pixels are the largest, and the
    object's pixels would be dealt out among them.

    Args:
        maxima: The map, (h, w).
        positions: (y, x) of the maxima, row by row, (K, 2).
        values: Their values, (K,).

    Returns:
        The first maximum of each plateau, in order, and the plateaus' middles, (P, 2).
    """
    framed = np.pad(maxima, PLATEAU_REACH_PX)
    places = (positions + PLATEAU_REACH_PX) @ (framed.shape[1], 1)
    before = places[:, None] - _steps_back(framed.shape[1])
    is_equal = framed.ravel().take(before) == values[:, None]
    if not is_equal.any():
        return np.arange(len(values)), positions.astype(np.float32)
    later, column = is_equal.nonzero()
    earlier = np.searchsorted(places, before[later, column])
    lowest = _components(len(values), later, earlier)
    _, first, plateau = np.unique(lowest, return_index=True, return_inverse=True)
    size = np.bincount(plateau)
    middles = np.stack([np.bincount(plateau, axis) / size for axis in positions.T], axis=1)
    return first, middles.astype(np.float32)


def _steps_back(width: int) -> NDArray[np.intp]:
    """How far back in a raveled map the first half of the window around a pixel lies."""
    reach = np.arange(-PLATEAU_REACH_PX, PLATEAU_REACH_PX + 1)
    steps = (reach[:, None] * width + reach).ravel()
    return steps[steps > 0]


def _components(count: int, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give each of ``count`` nodes the lowest one that pairs connect it with, (count,)."""
    lowest = np.arange(count)
    while True:
        ends = lowest[one], lowest[other]
        if (ends[0] == ends[1]).all():
            return lowest
        np.minimum.at(lowest, np.maximum(*ends), np.minimum(*ends))
        lowest = lowest[lowest]
