# SPDX-License-Identifier: Apache-2.0
"""Label files of KITTI MOTS: images of truth, and text files of truth or results.

Source: https://www.vision.rwth-aachen.de/page/mots, "Annotation Format": a pixel is
class * 1000 + object, 10000 is to be ignored; a line of text is ``frame object class height width
run-lengths``, where the object is that number.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files import rle
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.data.png import read_png

CATEGORIES = (
    Category(0, "background", False),
    Category(1, "car", True),
    Category(2, "pedestrian", True),
)
"""Position and id are the class of the files."""

IGNORED_CLASS = 10
_PER_CLASS = 1000


def read_instances(path: Path) -> LabelMap:
    """Read an image of ``instances/<sequence>/``.

    Returns:
        Positions among ``CATEGORIES``, 255 where to ignore; objects are counted from 1.

    Raises:
        DataError: The file is missing, is not 16-bit grey or has another class.
    """
    values = read_png(path)
    if values.ndim != 2 or values.dtype != np.uint16:
        raise DataError(f"{path}: is {values.dtype} {values.shape}, needs 16-bit grey instances")
    return _label_map(values, str(path))


def read_tracks(path: Path) -> dict[int, LabelMap]:
    """Read a text file of one sequence.

    Returns:
        The labelled image of each frame that has an object.

    Raises:
        DataError: The file is missing or a line is wrong; the message names it.
    """
    tracks = TracksFile(path)
    return {number: tracks.read(number) for number in tracks.frames}


class TracksFile:
    """A text file of one sequence; masks are decoded frame by frame.

    Attributes:
        path: The file.
        frames: Numbers of the frames that have an object, rising.

    Raises:
        DataError: The file is missing or a line is wrong; the message names it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read ({error})") from error
        self._lines: dict[int, list[_Line]] = {}
        for number, words in enumerate(map(str.split, lines), start=1):
            if words:
                line = self._checked(number, words)
                self._lines.setdefault(line.frame, []).append(line)
        self.frames = tuple(sorted(self._lines))

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) as the first frame says it, None where nothing is in the file."""
        return self._lines[self.frames[0]][0].size if self.frames else None

    def read(self, frame: int, size: tuple[int, int] | None = None) -> LabelMap:
        """Decode one frame.

        Args:
            frame: Its number.
            size: (height, width) of a frame without objects; that of the others by default.

        Raises:
            DataError: A line is wrong, or nobody says how large the image is.
        """
        lines = self._lines.get(frame, [])
        shape = lines[0].size if lines else size or self.size
        if shape is None:
            raise DataError(f"{self.path}: is empty, so the size of its images is not known")
        values = np.zeros(shape, np.uint16)
        for line in lines:
            self._draw(line, values)
        return _label_map(values, f"{self.path}, frame {frame}")

    def _draw(self, line: _Line, values: NDArray[np.uint16]) -> None:
        try:
            line.draw(values)
        except DataError as error:
            raise DataError(f"{self.path}, line {line.number}: {error}") from error

    def _checked(self, number: int, words: list[str]) -> _Line:
        try:
            return _line(number, words)
        except (ValueError, DataError) as error:
            raise DataError(f"{self.path}, line {number}: {error}") from error


@dataclass(frozen=True)
class _Line:
    """One object in one frame; ``number`` counts the lines."""

    number: int
    frame: int
    value: int
    size: tuple[int, int]
    runs: str

    def draw(self, values: NDArray[np.uint16]) -> None:
        mask = rle.decode(self.runs, self.size)
        if values.shape != mask.shape:
            height, width = self.size
            raise DataError(f"is {width}x{height}, frame {self.frame} is {values.shape[::-1]}")
        taken = values[mask]
        if taken.any():
            raise DataError(f"object {self.value} overlaps object {int(taken.max())}")
        values[mask] = self.value


def _line(number: int, words: list[str]) -> _Line:
    if len(words) != 6:
        raise DataError(f"has {len(words)} words, needs: frame object class height width mask")
    frame, value, label, height, width = map(int, words[:5])
    if not 0 <= value < 1 << 16 or value // _PER_CLASS != label:
        raise DataError(f"object {value} is not of class {label}; needs class * 1000 + object")
    if not is_image_size(height, width):
        raise DataError(f"is {width}x{height}, needs {image_limits()}")
    return _Line(number, frame, value, (height, width), words[5])


def _label_map(values: NDArray[np.uint16], name: str) -> LabelMap:
    labels = values // _PER_CLASS
    known = (labels < len(CATEGORIES)) & ((labels > 0) | (values == 0))
    ignored = labels == IGNORED_CLASS
    if not (known | ignored).all():
        value = int(values[~(known | ignored)][0])
        raise DataError(f"{name}: has {value}; classes are 1 car, 2 pedestrian, 10 to ignore")
    ids = np.where(known & (labels > 0), values % _PER_CLASS + 1, NO_ID)
    return LabelMap(np.where(ignored, VOID, labels).astype(np.uint8), ids.astype(np.uint16))
