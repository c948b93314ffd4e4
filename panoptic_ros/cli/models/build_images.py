# SPDX-License-Identifier: Apache-2.0
"""Images for ``panoptic build``: some set the ranges of int8, plans are compared on others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.geometry import shrink
from panoptic_ros.engine.building.quantize import LEAST_IMAGES
from panoptic_ros.recordings.open import open_source

MOST_IMAGES = 200
"""That set the ranges; more change them little and cost as much time each."""

COMPARED = 5
"""One image in so many is kept for the comparison ..."""

MOST_COMPARED = 20
"""... up to this many."""


class ChosenImages:
    """Images of an input, spread evenly, at the model's size; read anew by every iteration.

    Only one of them is in memory at a time.

    Args:
        path: Folder, bag or video.
        size: (height, width) of the model.
        numbers: Which images, counted from 0, in order.
    """

    def __init__(self, path: Path, size: tuple[int, int], numbers: tuple[int, ...]) -> None:
        self._path = path
        self._size = size
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        wanted = set(self._numbers)
        if not wanted:
            return
        with open_source(self._path) as source:
            for number, recorded in enumerate(source.frames()):
                if number in wanted:
                    yield shrink(recorded.frame.image, np.empty((*self._size, 3), np.uint8))
                if number >= self._numbers[-1]:
                    return


def choose_images(
    path: Path, size: tuple[int, int], most: int, is_int8: bool
) -> tuple[ChosenImages, list[NDArray[np.uint8]], int]:
    """Choose images of an input.

    Args:
        path: Folder, bag or video.
        size: (height, width) of the model.
        most: Images that set the ranges.
        is_int8: Whether ranges are needed.

    Returns:
        Those that set the ranges, others for the comparison, and how many the input has.

    Raises:
        DataError: The input cannot be read.
        ModelError: They are too few for int8.
    """
    with open_source(path) as source:
        # What a file promises may be more than what can be read of it.
        total = sum(1 for _ in source.frames())
    compared = min(MOST_COMPARED, max(1, total // COMPARED))
    ranging = min(most, total - compared)
    if is_int8 and ranging < LEAST_IMAGES:
        raise ModelError(
            f"int8 takes its ranges from at least {LEAST_IMAGES} images, and one of {COMPARED} "
            f"is kept for the comparison, so {LEAST_IMAGES + 1} are needed; {path} has {total}"
        )
    chosen = [round(at) for at in np.linspace(0, total - 1, ranging + compared)]
    aside = {chosen[round(at)] for at in np.linspace(0, len(chosen) - 1, compared)}
    rest = tuple(number for number in chosen if number not in aside)
    shown = ChosenImages(path, size, tuple(sorted(aside)))
    return ChosenImages(path, size, rest), list(shown), total
