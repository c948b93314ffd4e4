# SPDX-License-Identifier: Apache-2.0
"""Find the ego vehicle at the lower edge of a camera's images: what never moves while all does.

Edges of the passing scene point anywhere from image to image; the vehicle's own edge stays. The
line through the image's width that stays most is its upper edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError, FrameError, counted

Floats = NDArray[np.float32]

WIDTH_PX = 320
"""Images are looked at in this width."""

LEAST_IMAGES = 20
_HIGHEST = 0.5
"""How much of the image's height, from below, the vehicle may take."""
_NOISE = 6.0
"""Mean gradient that is none, in grey levels."""
_STEEPEST = 1
"""How many rows the edge may rise from column to column."""
_LEAST_STAY = 0.5
_MOST_RISE = 0.15
"""How much of the image's height the edge may rise; the edges of a straight road rise more."""
_LEAST_CHANGE = 3.0
_SMOOTH = 7


@dataclass(frozen=True, eq=False)
class EgoFinding:
    """The ego vehicle in the images.

    Attributes:
        mask: 255 on it, else 0, (H, W) uint8.
        stay: How much of its edge stays from image to image, 0 to 1; the median over the columns.
    """

    mask: NDArray[np.uint8]
    stay: float


class EgoFinder:
    """Looks at images of a drive, from its whole length; used by one thread."""

    def __init__(self) -> None:
        self._size: tuple[int, int] = (0, 0)
        self._count = 0
        self._sum = self._squares = self._edges = self._strength = np.zeros((0, 0), np.float32)

    def add(self, image: NDArray[np.uint8]) -> None:
        """Look at an image.

        Args:
            image: RGB, (H, W, 3) uint8, of the same size as those before.

        Raises:
            FrameError: It has another size.
        """
        size = image.shape[:2]
        if self._count and size != self._size:
            raise FrameError(f"image is {size[1]}x{size[0]}, those before were not")
        grey = _small_grey(image)
        if not self._count:
            self._size = (int(size[0]), int(size[1]))
            zeros = np.zeros_like(grey)
            self._sum, self._squares, self._edges, self._strength = (zeros.copy() for _ in "1234")
        down = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1), np.float32)
        across = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 1, 0), np.float32)
        self._sum += grey
        self._squares += grey * grey
        self._edges += down
        self._strength += np.hypot(down, across)
        self._count += 1

    def find(self) -> EgoFinding:
        """Say where the ego vehicle is.

        Raises:
            DataError: There are too few images, nothing moves in them, or no edge goes through
                the width of the image and stays.
        """
        self._check()
        stay = np.abs(self._edges) / (self._strength + _NOISE * self._count)
        top = round((1 - _HIGHEST) * stay.shape[0])
        rows = top + _seam(stay[top:])
        # Its edge stays in the middle as well as at the sides; a kerb does so on one side only.
        parts = [float(np.median(part)) for part in np.array_split(_along(stay, rows), 6)]
        rise = float(np.ptp(rows)) / stay.shape[0]
        if min(parts) < _LEAST_STAY or rise > _MOST_RISE:
            raise DataError(
                "no ego vehicle found at the lower edge: no flat line through the width of the "
                f"image stays (the best one by {min(parts):.2f}, needs {_LEAST_STAY:g}, and rises "
                f"by {rise:.0%} of the height, needs at most {_MOST_RISE:.0%}); it may not be in "
                "sight, else give the corners of its outline (ego_mask)"
            )
        return EgoFinding(_below(rows, stay.shape, self._size), float(np.median(parts)))

    def _check(self) -> None:
        if self._count < LEAST_IMAGES:
            raise DataError(
                f"{counted(self._count, 'image')} found, needs {LEAST_IMAGES} of a drive"
            )
        mean = self._sum / self._count
        change = np.sqrt(np.maximum(self._squares / self._count - mean * mean, 0))
        if float(np.median(change)) < _LEAST_CHANGE:
            raise DataError(
                f"the scene does not move (grey values change by {np.median(change):.1f}, needs "
                f"{_LEAST_CHANGE:g}); give a recording of a drive"
            )


def _small_grey(image: NDArray[np.uint8]) -> Floats:
    height, width = image.shape[:2]
    size = (WIDTH_PX, max(1, round(WIDTH_PX * height / width)))
    small = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def _along(values: Floats, rows: NDArray[np.intp]) -> Floats:
    return np.asarray(values[rows, np.arange(values.shape[1])], np.float32)


def _seam(gain: Floats) -> NDArray[np.intp]:
    """Find the line from left to right that gains most, one row for each column.

    Source: dynamic programming as in seam carving, Avidan and Shamir 2007, equation 5.
    """
    height, width = gain.shape
    total, came = gain[:, 0].copy(), np.zeros((height, width), np.intp)
    steps = np.arange(-_STEEPEST, _STEEPEST + 1)
    places = np.clip(np.arange(height)[:, None] + steps, 0, height - 1)
    for column in range(1, width):
        best = total[places].argmax(axis=1)
        came[:, column] = places[np.arange(height), best]
        total = total[came[:, column]] + gain[:, column]
    rows = np.zeros(width, np.intp)
    rows[-1] = int(total.argmax())
    for column in range(width - 1, 0, -1):
        rows[column - 1] = came[rows[column], column]
    return rows


def _below(
    rows: NDArray[np.intp], small: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Fill what lies at and below a line of the small image, at full size."""
    smooth = cv2.medianBlur(rows.astype(np.float32)[None].repeat(3, axis=0), 5)[1]
    smooth = cv2.blur(smooth[None], (_SMOOTH, 1))[0]
    columns = (np.arange(size[1]) + 0.5) * small[1] / size[1] - 0.5
    edge = np.interp(columns, np.arange(small[1]), smooth) * size[0] / small[0]
    return np.asarray(np.where(np.arange(size[0])[:, None] >= edge, 255, 0), np.uint8)
