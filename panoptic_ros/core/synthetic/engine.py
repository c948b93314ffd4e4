# SPDX-License-Identifier: Apache-2.0
"""An engine that reads a drawn street back from its image: stands in for a missing model."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_documents import shipped_label_set
from panoptic_ros.core.closing import Closing
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.decoding.peaks import PLATEAU_REACH_PX
from panoptic_ros.core.errors import ConfigError, EngineRunError
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.core.synthetic.street import (
    CAR,
    CAR_SLOTS,
    PERSON,
    PERSON_SLOTS,
    STUFF_COLORS,
    slot_colors,
)
from panoptic_ros.core.types import VOID, Heads

STRIDE = 4
_MAX_DISTANCE = 24.0
_MIN_PIXELS = 6


class DrawnEngine(Closing):
    """Tells class and object of every pixel by its colour, as heads of a centre/offset network.

    Args:
        size: (width, height) of its input, multiples of ``STRIDE``.

    Raises:
        ConfigError: The size is not a multiple.
    """

    def __init__(self, size: tuple[int, int] = (512, 256)) -> None:
        if size[0] % STRIDE or size[1] % STRIDE:
            raise ConfigError(f"size is {size[0]}x{size[1]}, needs multiples of {STRIDE}")
        labels = shipped_label_set("cityscapes")
        self._spec = ModelSpec(
            name="drawn",
            width=size[0],
            height=size[1],
            decoder="center_offset",
            labels=labels,
            license="Apache-2.0",
            provenance="no network: reads the colours of a drawn street",
        )
        self._input = np.zeros((size[1], size[0], 3), np.uint8)

    @property
    def spec(self) -> ModelSpec:
        """Size and classes."""
        return self._spec

    @property
    def description(self) -> str:
        """One line for a log."""
        return f"drawn {self._spec.width}x{self._spec.height}, a stand-in that reads colours"

    @property
    def input(self) -> NDArray[np.uint8]:
        """Buffer for the next image, (height, width, 3) uint8 RGB."""
        return self._input

    def infer(self, image: NDArray[np.uint8]) -> Heads:
        """Read an image.

        Args:
            image: RGB, (height, width, 3) uint8 of the spec's size.

        Raises:
            EngineRunError: The image has another size.
        """
        if image.shape != self._input.shape:
            raise EngineRunError(f"image is {image.shape}, needs {self._input.shape}")
        label_of, object_of = _tables()
        cells = (image >> 3).astype(np.int32)
        keys = (cells[..., 0] << 10) | (cells[..., 1] << 5) | cells[..., 2]
        labels, objects = _settle(label_of[keys], object_of[keys])
        centers, offsets = _centers(objects)
        confidence = np.where(labels == VOID, np.uint8(0), np.uint8(250))
        return CenterOffsetHeads(labels, confidence, centers, offsets)

    def close(self) -> None:
        """Nothing to free."""


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Class and object (0 none) of every colour with 5 bits a channel; far colours are void."""
    colors, classes, objects = [], [], []
    for label, shades in STUFF_COLORS.items():
        for shade in shades:
            colors.append(shade)
            classes.append(label)
            objects.append(0)
    slots = [(CAR, slot) for slot in range(CAR_SLOTS)]
    slots += [(PERSON, slot) for slot in range(PERSON_SLOTS)]
    for number, (label, slot) in enumerate(slots, start=1):
        for shade in slot_colors(label, slot):
            colors.append(shade)
            classes.append(label)
            objects.append(number)
    grid = np.stack(np.meshgrid(*[np.arange(32) * 8 + 4] * 3, indexing="ij"), -1)
    distance = np.linalg.norm(grid[..., None, :] - np.array(colors, np.float64), axis=-1)
    nearest = distance.argmin(-1).ravel()
    far = distance.min(-1).ravel() > _MAX_DISTANCE
    label_table = np.where(far, VOID, np.array(classes)[nearest]).astype(np.uint8)
    object_table = np.where(far, 0, np.array(objects)[nearest]).astype(np.uint8)
    return label_table, object_table


def _settle(
    labels: NDArray[np.uint8], objects: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give the mixed colours along borders to a neighbour."""
    both = labels.astype(np.uint16) + 1 + (objects.astype(np.uint16) << 8)
    code = np.where(labels == VOID, np.uint16(0), both)
    # A mixture may look like a third thing, but only along a line: an opening takes lines away.
    for number in np.unique(objects[objects > 0]):
        mask = (objects == number).astype(np.uint8)
        solid = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        code[(mask > 0) & (solid == 0)] = 0
    for _ in range(3):
        grown = cv2.dilate(code, np.ones((3, 3), np.uint8))
        code = np.where(code == 0, grown, code)
    settled = np.where(code == 0, VOID, (code & 255) - 1).astype(np.uint8)
    return settled, (code >> 8).astype(np.uint8)


def _centers(objects: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Centre heat-map and offsets at ``STRIDE``; a block belongs to whom most of it shows."""
    rows, columns = objects.shape[0] // STRIDE, objects.shape[1] // STRIDE
    centers = np.zeros((rows, columns), np.uint8)
    offsets = np.zeros((2, rows, columns), np.float32)
    coarse_y, coarse_x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    most = np.zeros((rows, columns), np.intp)
    for number in np.unique(objects[objects > 0]):
        y, x = np.nonzero(objects == number)
        if y.size < _MIN_PIXELS:
            continue
        center_y, center_x = y.mean() / STRIDE, x.mean() / STRIDE
        row, column = min(rows - 1, int(center_y)), min(columns - 1, int(center_x))
        centers[row, column] = _own_score(centers, row, column)
        block = y // STRIDE * columns + x // STRIDE
        shown = np.bincount(block, minlength=most.size).reshape(most.shape)
        inside = shown > most
        most[inside] = shown[inside]
        offsets[0][inside] = int(center_y) - coarse_y[inside]
        offsets[1][inside] = int(center_x) - coarse_x[inside]
    return centers, offsets


def _own_score(centers: NDArray[np.uint8], row: int, column: int) -> int:
    """Score that no centre nearby has: with an equal one it would be one plateau, one object."""
    reach = PLATEAU_REACH_PX
    rows, columns = (slice(max(0, at - reach), at + reach + 1) for at in (row, column))
    near = centers[rows, columns]
    return next(score for score in range(250, 0, -1) if score not in near)
