# SPDX-License-Identifier: Apache-2.0
"""The pixels of every track, carried along by the camera's motion and by the track's own.

Each track is a cloud of sampled pixels. Laid over a frame's segments they give every mask overlap
from one joint histogram, however each object moves; and objects that are out of sight keep their
clouds, so one that comes out from behind another is known by its outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.camera_motion import CameraMotion
from panoptic_ros.core.types import Panoptic

Floats = NDArray[np.float64]
Map = TypeVar("Map", NDArray[np.uint8], NDArray[np.uint16])

_SAMPLED_WIDTH = 320


@dataclass(frozen=True, eq=False)
class Points:
    """Sampled pixels, each of one track.

    Attributes:
        y: Row in the map, (N,) float32.
        x: Column in the map, (N,) float32.
        row: Row of the track, (N,).
        weight: Map pixels that the point stands for, (N,) float32.
    """

    y: NDArray[np.float32]
    x: NDArray[np.float32]
    row: NDArray[np.intp]
    weight: NDArray[np.float32]

    @classmethod
    def none(cls) -> Points:
        """Make an empty set."""
        empty = np.zeros(0, np.float32)
        return cls(empty, empty, np.zeros(0, np.intp), empty)

    def __len__(self) -> int:
        return len(self.row)

    def where(self, kept: NDArray[np.bool_]) -> Points:
        """Keep some."""
        return Points(self.y[kept], self.x[kept], self.row[kept], self.weight[kept])

    def and_(self, other: Points) -> Points:
        """Put two sets together."""
        return Points(
            np.concatenate((self.y, other.y)),
            np.concatenate((self.x, other.x)),
            np.concatenate((self.row, other.row)),
            np.concatenate((self.weight, other.weight)),
        )

    def renumbered(self, table: NDArray[np.intp]) -> Points:
        """Give every track its place in ``table``; those with -1 are dropped."""
        row = table[self.row]
        moved = Points(self.y, self.x, row, self.weight)
        return moved if not (row < 0).any() else moved.where(row >= 0)

    def shifted(self, shift: Floats) -> Points:
        """Move every track's points by a (dy, dx) of its own, (n, 2)."""
        step = shift.astype(np.float32)
        return Points(
            self.y + step[self.row, 0], self.x + step[self.row, 1], self.row, self.weight
        )

    def carried(
        self, motion: CameraMotion, growth: Floats, before: Floats, center: Floats
    ) -> Points:
        """Move every track's points with its middle, and spread them as it grows.

        Args:
            motion: The camera's.
            growth: Of each track apart from the camera, (n,).
            before: Middle of each track in the frame before, (n, 2).
            center: Where it is expected now, (n, 2).
        """
        if len(self) == 0:
            return self
        if motion.is_shift and (growth == 1.0).all():
            return self.shifted(center - before)
        linear = motion.matrix[:, :2].astype(np.float32)
        dy, dx = (self.y - before[self.row, 0].astype(np.float32)), (
            self.x - before[self.row, 1].astype(np.float32)
        )  # fmt: skip
        grown, middle = growth.astype(np.float32)[self.row], center.astype(np.float32)
        y = middle[self.row, 0] + grown * (linear[1, 1] * dy + linear[1, 0] * dx)
        x = middle[self.row, 1] + grown * (linear[0, 1] * dy + linear[0, 0] * dx)
        area = np.float32(motion.scale**2) * grown * grown
        return Points(y, x, self.row, self.weight * area)

    def on(self, ids: Map) -> tuple[Map, NDArray[np.bool_]]:
        """Look up the value of a map under every point, and whether the point is in the map.

        Points outside have value 0.
        """
        height, width = ids.shape
        y, x = (self.y + np.float32(0.5)).astype(np.int32), (self.x + np.float32(0.5)).astype(
            np.int32
        )  # fmt: skip
        inside = (self.y > -0.5) & (self.x > -0.5) & (y < height) & (x < width)
        flat = np.where(inside, y * width + x, 0)
        return np.where(inside, ids.ravel()[flat], 0), inside


def sample(panoptic: Panoptic, row_of: NDArray[np.intp]) -> Points:
    """Sample the pixels of this frame's objects.

    Args:
        panoptic: The frame's map.
        row_of: Track of each segment id, -1 for none, (segments + 1,).
    """
    ids = panoptic.ids
    step = max(1, round(ids.shape[1] / _SAMPLED_WIDTH))
    coarse = np.ascontiguousarray(ids[step // 2 :: step, step // 2 :: step]).ravel()
    flat = np.flatnonzero(coarse)
    row = row_of[coarse[flat]]
    if (row < 0).any():
        flat, row = flat[row >= 0], row[row >= 0]
    width = len(range(step // 2, ids.shape[1], step))
    y = flat // width
    x = flat - y * width
    first, scale = np.float32(step // 2), np.float32(step)
    return Points(
        y.astype(np.float32) * scale + first,
        x.astype(np.float32) * scale + first,
        row,
        np.full(len(row), float(step * step), np.float32),
    )


def shared(
    points: Points, under: NDArray[np.uint16], tracks: int, segments: int
) -> NDArray[np.float64]:
    """Estimate the pixels that every track and every segment have in common.

    Returns:
        (tracks, segments); column 0 is segment 1.
    """
    pair = points.row * (segments + 1) + under
    counts = np.bincount(pair, points.weight, minlength=tracks * (segments + 1))
    return np.asarray(counts.reshape(tracks, segments + 1)[:, 1:], np.float64)
