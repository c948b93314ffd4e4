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
        rows = [(s.box[1], s.box[0], s.box[3], s.box[2], s.area, s.label) for s in segments]
        table = np.array(rows, np.float64).reshape(-1, 6)
        return cls(segments, table[:, :4], table[:, 4], table[:, 5].astype(np.intp))

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
