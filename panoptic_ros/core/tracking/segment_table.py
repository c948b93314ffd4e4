# SPDX-License-Identifier: Apache-2.0
"""The segments of one frame as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import Segment


@dataclass(frozen=True, eq=False)
class SegmentTable:
    """One row per segment; row i is the segment with id i + 1.

    Attributes:
        segments: As the decoder made them.
        boxes: (y0, x0, y1, x1) half open, in map pixels, (m, 4).
        area: Pixels, (m,).
        label: Class index, (m,).
    """

    segments: tuple[Segment, ...]
    boxes: NDArray[np.float64]
    area: NDArray[np.float64]
    label: NDArray[np.intp]

    @classmethod
    def of(cls, segments: tuple[Segment, ...]) -> SegmentTable:
        """Collect a frame's segments."""
        boxes = np.array([one.box for one in segments], np.float64).reshape(-1, 4)
        return cls(
            segments,
            boxes[:, (1, 0, 3, 2)],
            np.array([one.area for one in segments], np.float64),
            np.array([one.label for one in segments], np.intp),
        )

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def center(self) -> NDArray[np.float64]:
        """Middle of each box, (m, 2)."""
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2.0

    @property
    def size(self) -> NDArray[np.float64]:
        """Size of each box, (m, 2)."""
        return self.boxes[:, 2:] - self.boxes[:, :2]
