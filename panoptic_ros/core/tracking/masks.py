# SPDX-License-Identifier: Apache-2.0
"""The pixels of every track, carried along by the camera's motion and by the track's own.

Each track is a cloud of sampled pixels. Laid over a frame's segments they give every mask overlap
from one joint histogram, however each object moves; and objects that are out of sight keep their
clouds, so one that comes out from behind another is known by its outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.tracking.camera_motion import CameraMotion
from panoptic_ros.core.types import Panoptic

Floats = NDArray[np.float64]

_SAMPLED_WIDTH = 213
_ENOUGH, _THINNED = 120, 9
_HALF = np.float32(0.5)


@dataclass(frozen=True, eq=False)
class MaskPoints:
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
    def none(cls) -> MaskPoints:
        """Make an empty set."""
        empty = np.zeros(0, np.float32)
        return cls(empty, empty, np.zeros(0, np.intp), empty)

    def __len__(self) -> int:
        return len(self.row)

    def where(self, kept: NDArray[np.bool_]) -> MaskPoints:
        """Keep some."""
        places = kept.nonzero()[0]
        return MaskPoints(
            self.y.take(places),
            self.x.take(places),
            self.row.take(places),
            self.weight.take(places),
        )

    @classmethod
    def joined(cls, *parts: MaskPoints) -> MaskPoints:
        """Put sets together, in order."""
        return cls(
            np.concatenate([one.y for one in parts]),
            np.concatenate([one.x for one in parts]),
            np.concatenate([one.row for one in parts]),
            np.concatenate([one.weight for one in parts]),
        )

    def split(self, first: int) -> tuple[MaskPoints, MaskPoints]:
        """Take the first points and the rest; both are views."""
        return (
            MaskPoints(self.y[:first], self.x[:first], self.row[:first], self.weight[:first]),
            MaskPoints(self.y[first:], self.x[first:], self.row[first:], self.weight[first:]),
        )

    def renumbered(self, table: NDArray[np.intp]) -> MaskPoints:
        """Give every track its place in ``table``; those with -1 are dropped."""
        row = table[self.row]
        return MaskPoints(self.y, self.x, row, self.weight).where(row >= 0)

    def shifted(self, shift: Floats) -> MaskPoints:
        """Move every track's points by a (dy, dx) of its own, (n, 2)."""
        dy, dx = shift.astype(np.float32).T.copy()
        y, x = self.y + dy.take(self.row), self.x + dx.take(self.row)
        return MaskPoints(y, x, self.row, self.weight)

    def carried(
        self, motion: CameraMotion, growth: Floats, before: Floats, center: Floats
    ) -> MaskPoints:
        """Move every track's points with its middle, and spread them as it grows.

        Args:
            motion: The camera's.
            growth: Of each track apart from the camera, (n,).
            before: Middle of each track in the frame before, (n, 2).
            center: Where it is expected now, (n, 2).
        """
        if len(self) == 0:
            return self
        linear = motion.matrix[:, :2]
        # Every track has a motion of its own: p' = growth * linear @ p + rest.
        rest = center - growth[:, None] * (before[:, ::-1] @ linear.T)[:, ::-1]
        dy, dx = rest.astype(np.float32).T.copy()
        grown = growth.astype(np.float32).take(self.row)
        (xx, xy), (yx, yy) = linear.astype(np.float32)
        y, x = (
            (self.y, self.x)
            if motion.is_shift
            else (yy * self.y + yx * self.x, xx * self.x + xy * self.y)
        )
        weight = self.weight * (np.float32(motion.scale**2) * grown * grown)
        y, x = grown * y + dy.take(self.row), grown * x + dx.take(self.row)
        return MaskPoints(y, x, self.row, weight)

    def places(self, shape: tuple[int, ...]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Say where in a raveled map every point lies; one that lies outside has place 0.

        Returns:
            Places, (N,), and whether they are in the map, (N,).
        """
        height, width = shape
        # Turned into whole numbers alone, those just outside would go to the first pixel, too.
        y, x = (np.floor(places + _HALF).astype(np.int32) for places in (self.y, self.x))
        # A number below 0 is a large one without its sign.
        inside = (y.view(np.uint32) < height) & (x.view(np.uint32) < width)
        y *= width
        y += x
        y *= inside
        return y, inside


def sample(panoptic: Panoptic, row_of: NDArray[np.intp]) -> MaskPoints:
    """Sample the pixels of this frame's objects.

    Args:
        panoptic: The frame's map.
        row_of: Track of each segment id, -1 for none, (segments + 1,).
    """
    ids = panoptic.ids
    step = max(1, ids.shape[1] // _SAMPLED_WIDTH)
    y, x, sparse = _places(ids.shape, step)
    coarse = ids[step // 2 :: step, step // 2 :: step].ravel()
    # A few points tell the outline of a large object as well as many.
    area = np.array([0, *(segment.area for segment in panoptic.segments)])
    is_large, is_followed = area > _ENOUGH * step * step, row_of >= 0
    few = sparse[(is_large & is_followed).take(coarse.take(sparse))]
    many = (~is_large & is_followed).take(coarse).nonzero()[0]
    flat = np.concatenate((few, many))
    weight = np.full(len(flat), float(step * step), np.float32)
    weight[: len(few)] *= _THINNED
    return MaskPoints(y.take(flat), x.take(flat), row_of.take(coarse.take(flat)), weight)


@lru_cache(maxsize=4)
def _places(
    shape: tuple[int, ...], step: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Row and column of sampled pixels, and which of them, one in ``_THINNED``, do alone."""
    y, x = np.mgrid[step // 2 : shape[0] : step, step // 2 : shape[1] : step]
    is_sparse = (y // step + 2 * (x // step)) % _THINNED == 0
    return y.ravel().astype(np.float32), x.ravel().astype(np.float32), np.flatnonzero(is_sparse)


def shared(
    points: MaskPoints, under: NDArray[np.uint16], tracks: int, segments: int
) -> NDArray[np.float64]:
    """Estimate the pixels that every track and every segment have in common.

    Returns:
        (tracks, segments); column 0 is segment 1.
    """
    pair = points.row * (segments + 1) + under
    counts = np.bincount(pair, points.weight, minlength=tracks * (segments + 1))
    return np.asarray(counts.reshape(tracks, segments + 1)[:, 1:], np.float64)
