# SPDX-License-Identifier: Apache-2.0
"""Measured points for the grid, which then need not guess where the ground is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLEARANCE_M = 2.5
"""What is so high above the ground does not stand in the way."""

_LEAST_HITS = 2
"""One point alone may be a stray one."""


@dataclass(frozen=True, eq=False)
class GroundPoints:
    """Points with known class in the base frame.

    Attributes:
        places_m: (n, 3): x, y, z.
        is_surface: Whether the pixel of each is drivable, (n,).
    """

    places_m: NDArray[np.float32]
    is_surface: NDArray[np.bool_]

    def cells(
        self, shape: tuple[int, int], resolution_m: float, origin_m: tuple[float, float]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say which cells of a grid were measured.

        A cell with points that are no surface is occupied, one with points on the surface alone
        is free. How high the ground itself lies there does not matter.

        Args:
            shape: (rows, columns); rows run to the left, columns ahead.
            resolution_m: Side of a cell.
            origin_m: (x, y) of the outer corner of the first cell.

        Returns:
            Free and occupied cells, (rows, columns) bool each.
        """
        x, y, z = self.places_m.T
        column = np.floor((x - origin_m[0]) / resolution_m).astype(np.intp)
        row = np.floor((y - origin_m[1]) / resolution_m).astype(np.intp)
        inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
        cell, is_surface, z = (
            (row * shape[1] + column)[inside],
            self.is_surface[inside],
            z[inside],
        )
        count = shape[0] * shape[1]
        floor = np.zeros(count, np.float32)
        np.minimum.at(floor, cell[is_surface], z[is_surface])
        is_low = z - floor[cell] < CLEARANCE_M
        hits = np.bincount(cell[~is_surface & is_low], minlength=count)
        occupied = hits >= _LEAST_HITS
        free = np.bincount(cell[is_surface], minlength=count) > hits
        free &= ~occupied
        return free.reshape(shape), occupied.reshape(shape)
