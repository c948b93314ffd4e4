# SPDX-License-Identifier: Apache-2.0
"""Free range by direction, for stacks that know laser scanners."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.ground.grid import Boundary

SCAN_STEP_RAD = math.radians(0.5)


@dataclass(frozen=True, eq=False)
class LaserScan:
    """Free range by direction, as sensor_msgs/LaserScan has it.

    Attributes:
        first_rad: Direction of the first range, to the left is positive. A scan to the rear goes
            on beyond half a turn, as LaserScan's angles may.
        step_rad: From one range to the next.
        ranges_m: From the base frame's origin; infinite where nothing ends the free space within
            the range (REP-117), not a number where nothing is seen, (n,) float32.
    """

    first_rad: float
    step_rad: float
    ranges_m: NDArray[np.float32]


def laser_scan_of(boundary: Boundary, step_rad: float = SCAN_STEP_RAD) -> LaserScan:
    """Turn a boundary into ranges; the nearest end counts in each direction."""
    x, y = boundary.points_m.T
    if not x.size:
        return LaserScan(0.0, step_rad, np.zeros(0, np.float32))
    angles = _unbroken(np.arctan2(y, x))
    ranges = np.where(boundary.is_end, np.hypot(x, y), np.inf)
    first = math.floor(float(angles.min()) / step_rad)
    bins = np.round(angles / step_rad).astype(int) - first
    found = np.full(int(bins.max()) + 1, np.nan)
    np.fmin.at(found, bins, ranges)
    return LaserScan(first * step_rad, step_rad, _bridged(found).astype(np.float32))


def _unbroken(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count the directions of a camera that looks back on beyond half a turn.

    Directly behind, the angle jumps from one half turn to the other; what lies between those is
    everything but what the camera sees.
    """
    if np.ptp(angles) <= math.pi:
        return angles
    onward = np.where(angles < 0.0, angles + 2.0 * math.pi, angles)
    return onward if np.ptp(onward) < np.ptp(angles) else angles


def _bridged(ranges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give directions between two columns the nearer of the two ranges."""
    is_seen = ~np.isnan(ranges)
    places = np.arange(ranges.size)
    before = np.maximum.accumulate(np.where(is_seen, places, -1))
    after = np.minimum.accumulate(np.where(is_seen, places, ranges.size)[::-1])[::-1]
    inside = (before >= 0) & (after < ranges.size)
    bridged = ranges.copy()
    bridged[inside] = np.minimum(ranges[before[inside]], ranges[after[inside]])
    return np.asarray(bridged)
