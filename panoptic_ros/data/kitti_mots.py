# SPDX-License-Identifier: Apache-2.0
"""Label files of KITTI MOTS: pictures of truth, and text files of truth or results.

Source: https://www.vision.rwth-aachen.de/page/mots, "Annotation Format": a pixel is
class * 1000 + object, 10000 is to be ignored; a line of text is ``frame object class height width
run-lengths``, where the object is that number.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core import rle
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.coco_panoptic import Category
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
    """Read a picture of ``instances/<sequence>/``.

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
        The labelled picture of each frame that has an object.

    Raises:
        DataError: The file is missing or a line is wrong; the message names it.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    frames: dict[int, NDArray[np.uint16]] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                _add_line(frames, line.split())
            except (ValueError, DataError) as error:
                raise DataError(f"{path}, line {number}: {error}") from error
    return {
        number: _label_map(values, f"{path}, frame {number}")
        for number, values in sorted(frames.items())
    }


def _add_line(frames: dict[int, NDArray[np.uint16]], words: list[str]) -> None:
    if len(words) != 6:
        raise DataError(f"has {len(words)} words, needs: frame object class height width mask")
    frame, number, label, height, width = map(int, words[:5])
    if not 0 <= number < 1 << 16 or number // _PER_CLASS != label:
        raise DataError(f"object {number} is not of class {label}; needs class * 1000 + object")
    mask = rle.decode(words[5], (height, width))
    values = frames.setdefault(frame, np.zeros((height, width), np.uint16))
    if values.shape != mask.shape:
        raise DataError(f"is {width}x{height}, frame {frame} is {values.shape[::-1]}")
    taken = values[mask]
    if taken.any():
        raise DataError(f"object {number} overlaps object {int(taken.max())}")
    values[mask] = number


def _label_map(values: NDArray[np.uint16], name: str) -> LabelMap:
    labels = values // _PER_CLASS
    known = (labels < len(CATEGORIES)) & ((labels > 0) | (values == 0))
    ignored = labels == IGNORED_CLASS
    if not (known | ignored).all():
        value = int(values[~(known | ignored)][0])
        raise DataError(f"{name}: has {value}; classes are 1 car, 2 pedestrian, 10 to ignore")
    ids = np.where(known & (labels > 0), values % _PER_CLASS + 1, NO_ID)
    return LabelMap(np.where(ignored, VOID, labels).astype(np.uint8), ids.astype(np.uint16))
