# SPDX-License-Identifier: Apache-2.0
"""Label files of KITTI MOTS: images of truth, and text files of truth or results.

Source: https://www.vision.rwth-aachen.de/page/mots, "Annotation Format": a pixel is
class * 1000 + object, 10000 is to be ignored; a line of text is ``frame object class height width
run-lengths``. The object of a line is that number in the ground truth; as mots_tools and TrackEval
do, we only compare it and take the class from its own column, so that results may have any ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files import rle
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.data.png import read_grey_16

CATEGORIES = (
    Category(0, "background", False),
    Category(1, "car", True),
    Category(2, "pedestrian", True),
)
"""Position and id are the class of the files."""

IGNORED_CLASS = 10
_PER_CLASS = 1000
_MOST_OBJECTS = (1 << 16) - 1
_CLASSES = "classes are 1 car, 2 pedestrian, 10 to ignore"


def read_instances(path: Path) -> LabelMap:
    """Read an image of ``instances/<sequence>/``.

    Returns:
        Positions among ``CATEGORIES``, 255 where to ignore; objects are counted from 1.

    Raises:
        DataError: The file is missing, is not 16-bit grey or has another class.
    """
    return _label_map(read_grey_16(path, "16-bit grey instances"), str(path))


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
            raise DataError(f"{path}: cannot be read ({reason_of(error)})") from error
        self._lines: dict[int, list[_Line]] = {}
        for number, words in enumerate(map(str.split, lines), start=1):
            if words:
                line = self._checked(number, words)
                self._lines.setdefault(line.frame, []).append(line)
        self.frames = tuple(sorted(self._lines))
        self._ids = _object_numbers(path, [line for rows in self._lines.values() for line in rows])

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
        # Which line a pixel belongs to, counted from 1.
        drawn = np.zeros(shape, np.int32)
        for place, line in enumerate(lines, start=1):
            self._draw(line, drawn, place, lines)
        labels = np.array([0, *(line.label_of(self.path) for line in lines)], np.uint8)
        ids = np.array([NO_ID, *(self._ids.get(line.key, NO_ID) for line in lines)], np.uint16)
        return LabelMap(labels[drawn], ids[drawn])

    def _draw(self, line: _Line, drawn: NDArray[np.int32], place: int, lines: list[_Line]) -> None:
        try:
            line.draw(drawn, place, lines)
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
    label: int
    size: tuple[int, int]
    runs: str

    @property
    def key(self) -> tuple[int, int]:
        """Class and object."""
        return self.label, self.value

    @property
    def is_numbered_by_class(self) -> bool:
        """Whether the object says its class, as in the ground truth."""
        return self.value // _PER_CLASS == self.label

    def label_of(self, path: Path) -> int:
        if self.label == IGNORED_CLASS:
            return VOID
        if not 0 < self.label < len(CATEGORIES):
            # The ground truth's number says object and class.
            found = self.value if self.is_numbered_by_class else f"class {self.label}"
            raise DataError(f"{path}, frame {self.frame}: has {found}; {_CLASSES}")
        return self.label

    def draw(self, drawn: NDArray[np.int32], place: int, lines: list[_Line]) -> None:
        mask = rle.decode(self.runs, self.size)
        if drawn.shape != mask.shape:
            height, width = self.size
            raise DataError(f"is {width}x{height}, frame {self.frame} is {drawn.shape[::-1]}")
        taken = int(drawn[mask].max(initial=0))
        if taken:
            raise DataError(f"object {self.value} overlaps object {lines[taken - 1].value}")
        drawn[mask] = place


def _line(number: int, words: list[str]) -> _Line:
    if len(words) != 6:
        raise DataError(f"has {len(words)} words, needs: frame object class height width mask")
    frame, value, label, height, width = map(int, words[:5])
    if value < 0:
        raise DataError(f"object is {value}, needs 0 or more")
    if not is_image_size(height, width):
        raise DataError(f"is {width}x{height}, needs {image_limits()}")
    return _Line(number, frame, value, label, (height, width), words[5])


def _object_numbers(path: Path, lines: list[_Line]) -> dict[tuple[int, int], int]:
    """Number objects from 1: by the ground truth's rule where all keep it, else by rising id."""
    objects = [line for line in lines if line.label != IGNORED_CLASS]
    if all(line.is_numbered_by_class for line in objects):
        return {line.key: line.value % _PER_CLASS + 1 for line in objects}
    values = sorted({line.value for line in objects})
    if len(values) > _MOST_OBJECTS:
        raise DataError(f"{path}: has {len(values)} objects, needs {_MOST_OBJECTS} at most")
    number = {value: place for place, value in enumerate(values, start=1)}
    return {line.key: number[line.value] for line in objects}


def _label_map(values: NDArray[np.uint16], name: str) -> LabelMap:
    labels = values // _PER_CLASS
    known = (labels < len(CATEGORIES)) & ((labels > 0) | (values == 0))
    ignored = labels == IGNORED_CLASS
    if not (known | ignored).all():
        value = int(values[~(known | ignored)][0])
        raise DataError(f"{name}: has {value}; {_CLASSES}")
    ids = np.where(known & (labels > 0), values % _PER_CLASS + 1, NO_ID)
    return LabelMap(np.where(ignored, VOID, labels).astype(np.uint8), ids.astype(np.uint16))
