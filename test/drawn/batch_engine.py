# SPDX-License-Identifier: Apache-2.0
"""A drawn engine that takes several images, in buffers that the next call overwrites."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.types import Heads


class DrawnBatchEngine(DrawnEngine):
    def __init__(self, size: tuple[int, int], batch: int) -> None:
        super().__init__(size)
        self.batch = batch
        self.inputs = np.zeros((batch, size[1], size[0], 3), np.uint8)
        self.counts: list[int] = []
        self._labels = np.zeros((batch, size[1], size[0]), np.uint8)

    @property
    def input(self) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self.inputs[0]
        return image

    def infer_batch(self, count: int) -> list[Heads]:
        assert 1 <= count <= self.batch
        self.counts.append(count)
        return [self._heads(slot) for slot in range(count)]

    def _heads(self, slot: int) -> Heads:
        heads = super().infer(self.inputs[slot])
        assert isinstance(heads, CenterOffsetHeads)
        self._labels[slot] = heads.labels
        return replace(heads, labels=self._labels[slot])
