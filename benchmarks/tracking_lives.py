# SPDX-License-Identifier: Apache-2.0
"""How long ids last where nobody knows the true ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from panoptic_ros.core.types import Box, Panoptic

_NEAR_IOU = 0.3


@dataclass
class IdHistories:
    """Counts segments with ids over one sequence.

    A rebirth is an id that appears where another one was seen within the last second that is no
    longer there: most likely the same object.
    """

    fps: float
    frames: int = 0
    objects: int = 0
    rebirths: int = 0
    _lengths: dict[int, int] = field(default_factory=dict)
    _last: dict[int, tuple[int, Box]] = field(default_factory=dict)

    def add(self, panoptic: Panoptic, ids: np.ndarray) -> None:
        """Count one frame.

        Args:
            panoptic: Its map.
            ids: Track of each segment id, 0 for none, (segments + 1,).
        """
        # Pieces of one object count once, by the largest.
        largest = sorted(panoptic.segments, key=lambda segment: segment.area)
        seen = {int(ids[s.id]): s.box for s in largest if ids[s.id]}
        self.objects += len(panoptic.segments)
        for number, box in seen.items():
            if number not in self._lengths and self._is_rebirth(box, seen):
                self.rebirths += 1
            self._lengths[number] = self._lengths.get(number, 0) + 1
        self._last.update({number: (self.frames, box) for number, box in seen.items()})
        self.frames += 1

    def _is_rebirth(self, box: Box, seen: dict[int, Box]) -> bool:
        return any(
            number not in seen
            and self.frames - frame <= self.fps
            and _iou(box, before) > _NEAR_IOU
            for number, (frame, before) in self._last.items()
        )

    def line(self) -> str:
        """Say it in one line."""
        lengths = np.array(list(self._lengths.values()) or [0])
        weighted = float((lengths * lengths).sum() / max(1, lengths.sum()))
        return (
            f"{lengths.sum() / max(1, self.objects):8.1%}{len(self._lengths):6d}"
            f"{lengths.mean():10.1f}{weighted:12.1f}"
            f"{int((lengths <= 2).sum()):8d}{self.rebirths:10d}"
        )


HEADER = f"{'tracked':>8}{'ids':>6}{'mean life':>10}{'per segment':>12}{'<= 2':>8}{'rebirths':>10}"


def _iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(areas) - width * height)
