# SPDX-License-Identifier: Apache-2.0
"""Where each object should be by now: middle, whole size, speed and growth of all tracks at once.

A box that something hides in part shrinks from one side. Its visible side goes on telling the
speed, and the whole size is remembered for a while; so an object that goes behind a wall is not
taken for one that slows down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.tracking.camera_motion import CameraMotion

Floats = NDArray[np.float64]

_SPEED_TIME_S = 0.15
_SIZE_TIME_S = 0.6
_MIN_STEP_S = 0.01
"""Shorter steps of time tell less of a speed than they are noisy."""
_SIZE_SHARE, _SIZE_PX = 0.06, 1.5
"""Sizes that differ by less than this share plus these pixels are the same size."""
_MAX_HIDDEN, _MAX_HIDDEN_PX = 3.0, 30.0
"""No object is thought to be larger than this many times what is seen of it, plus these pixels."""
_TRUST_SHORT = 0.05
_MAX_GROWTH = 1.5
_MAX_UNSEEN_GROWTH_S = 0.3


@dataclass(eq=False)
class MotionModel:
    """One row per track; (y, x) in map pixels, seconds.

    Attributes:
        center: Middle of the whole object, (n, 2).
        size: (height, width) of the whole object, (n, 2).
        velocity: Map pixels per second, apart from the camera's motion, (n, 2).
        growth: Change of the logarithm of the size per second, (n,).
        steps: How often the speed was corrected, (n,).
        unseen_s: Seconds since the last segment, (n,).
        is_cut: Whether the image's border cut the object then, by axis, (n, 2).
    """

    center: Floats
    size: Floats
    velocity: Floats
    growth: Floats
    steps: NDArray[np.intp]
    unseen_s: Floats
    is_cut: NDArray[np.bool_]

    @classmethod
    def of_boxes(cls, boxes: Floats, shape: tuple[int, ...] = (0, 0)) -> MotionModel:
        """Start rows from boxes (y0, x0, y1, x1), (n, 4), in a map of some (height, width)."""
        low, high = boxes[:, :2], boxes[:, 2:]
        count = len(boxes)
        return cls(
            center=(low + high) / 2.0,
            size=high - low,
            velocity=np.zeros((count, 2)),
            growth=np.zeros(count),
            steps=np.zeros(count, np.intp),
            unseen_s=np.zeros(count),
            is_cut=np.logical_or(*cut_by_border(boxes, shape)),
        )

    def __len__(self) -> int:
        return len(self.center)

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Drop the other rows."""
        for name, values in vars(self).items():
            setattr(self, name, values[kept])

    def append(self, other: MotionModel) -> None:
        """Add the rows of another one below."""
        for name, values in vars(other).items():
            setattr(self, name, np.concatenate((getattr(self, name), values)))

    def predict(self, motion: CameraMotion, seconds: float) -> tuple[Floats, Floats]:
        """Move all rows to now.

        Args:
            motion: The camera's.
            seconds: Since the frame before.

        Returns:
            By how much every row's own pixels grow, (n,), and where its middle was before,
            (n, 2).
        """
        before = self.center
        # What is not seen is not believed to grow for long.
        growing_s = np.clip(_MAX_UNSEEN_GROWTH_S - self.unseen_s, 0.0, seconds)
        growth = np.exp(self.growth * growing_s)
        self.center = motion.move(before) + self.velocity * seconds
        self.size = self.size * (growth * motion.scale)[:, None]
        self.unseen_s = self.unseen_s + seconds
        return growth, before

    def correct(
        self, rows: NDArray[np.intp], boxes: Floats, shape: tuple[int, ...], seconds: float
    ) -> Floats:
        """Take in what was seen.

        Args:
            rows: Rows that were seen, (m,).
            boxes: Where: (y0, x0, y1, x1) of all their visible pixels, (m, 4).
            shape: (height, width) of the map.
            seconds: Since the frame before.

        Returns:
            How far they are from where they should have been, (m, 2).
        """
        low, high = boxes[:, :2], boxes[:, 2:]
        size, center = self.size[rows], self.center[rows]
        ends = cut_by_border(boxes, shape)
        seen = high - low
        is_whole = (np.abs(seen - size) <= _SIZE_SHARE * size + _SIZE_PX) & ~ends[0] & ~ends[1]
        errors = low - (center - size / 2.0), high - (center + size / 2.0)
        error, side = _visible_error(*errors, *ends)
        self._correct_speed(rows, error, seen / np.maximum(size, 1.0), is_whole, seconds)
        whole = np.minimum(
            _whole_size(seen, size, np.abs(side), seconds), _MAX_HIDDEN * seen + _MAX_HIDDEN_PX
        )
        # The edge that is in sight stays where it is seen, whatever the size is thought to be.
        self.center[rows] = center + error + side * (whole - size) / 2.0
        self.size[rows] = whole
        self.unseen_s[rows], self.is_cut[rows] = 0.0, ends[0] | ends[1]
        return np.asarray(error)

    def _correct_speed(
        self,
        rows: NDArray[np.intp],
        error: Floats,
        ratio: Floats,
        is_whole: NDArray[np.bool_],
        seconds: float,
    ) -> None:
        """Blame the error on the speed that was believed since the last segment."""
        if seconds <= 0.0:
            return
        unseen = self.unseen_s[rows]
        elapsed = np.maximum(unseen, _MIN_STEP_S)
        gain = np.maximum(1.0 - np.exp(-elapsed / _SPEED_TIME_S), 1.0 / (self.steps[rows] + 1.0))
        gain *= np.minimum(1.0, unseen / _MIN_STEP_S)
        self.velocity[rows] += (gain / elapsed)[:, None] * error
        grown = np.log(np.maximum(ratio[:, 0] * ratio[:, 1], 0.01)) / 2.0
        # The edges of a small object are as coarse as a pixel: it tells little about growth.
        size = self.size[rows]
        weight = np.minimum(1.0, np.minimum(size[:, 0], size[:, 1]) / 40.0)
        # What is hidden in part does not show its growth, and is not believed to go on growing.
        is_seen = is_whole[:, 0] & is_whole[:, 1]
        growth = np.where(is_seen, self.growth[rows], (1.0 - gain) * self.growth[rows])
        growth += is_seen * weight * gain * grown / elapsed
        self.growth[rows] = np.minimum(np.maximum(growth, -_MAX_GROWTH), _MAX_GROWTH)
        self.steps[rows] += 1


def cut_by_border(
    boxes: Floats, shape: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether boxes reach the border of the map: the low and the high one, by axis, (n, 2)."""
    limit = np.array(shape[:2], np.float64)
    return boxes[:, :2] <= 0, boxes[:, 2:] >= limit


def _visible_error(
    low: Floats, high: Floats, low_ends: NDArray[np.bool_], high_ends: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Tell where an object is from the errors of both edges, one of which may be hidden.

    The edge that is nearer to where it should be counts more: that of an object that goes behind
    something. Where the image's border cuts one edge, only the other tells anything.

    Returns:
        The error, and which side it is measured on: 1 the low edge, -1 the high one.
    """
    low_square, high_square = low * low, high * high
    total = low_square + high_square + 1e-9
    side = (high_square - low_square) / total
    error = (low * high_square + high * low_square) / total
    if not (low_ends.any() or high_ends.any()):
        return error, side
    # The only edge in sight, short of where it should be, is more likely hidden than slow.
    low_alone = np.where(low > 0.0, _TRUST_SHORT * low, low)
    high_alone = np.where(high < 0.0, _TRUST_SHORT * high, high)
    error = np.where(low_ends, high_alone, np.where(high_ends, low_alone, error))
    side = np.where(low_ends, -1.0, np.where(high_ends, 1.0, side))
    neither = low_ends & high_ends
    return np.where(neither, 0.0, error), np.where(neither, 0.0, side)


def _whole_size(seen: Floats, expected: Floats, hidden: Floats, seconds: float) -> Floats:
    """Believe what is seen, but forget only slowly what is hidden on one side, 0..1."""
    share = 1.0 - hidden * np.exp(-seconds / _SIZE_TIME_S)
    return np.where(seen > expected, seen, expected + share * (seen - expected))
