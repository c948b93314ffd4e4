# SPDX-License-Identifier: Apache-2.0
"""Label files in the KITTI-STEP encoding.

Source: deeplab2, ``g3doc/setup/kitti_step.md``: R is the Cityscapes trainId (255 void), and
G * 256 + B the id of the object; things are persons and cars.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import VOID
from panoptic_ros.data.cityscapes import LABEL_IDS, train_id_table, write_png
from panoptic_ros.data.format import DataSetLocation, Format, ImageWriter, map_file
from panoptic_ros.data.label_files import LabelFiles, sequence_name
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.data.left_out import LeftOut
from panoptic_ros.data.png import read_rgb

CATEGORIES = tuple(
    Category(train_id, name, name in ("person", "car")) for train_id, name in enumerate(LABEL_IDS)
)
"""The 19 classes; position and id are the trainId."""


def write_kitti_step(path: Path, train_ids: NDArray[np.uint8], ids: NDArray[np.uint16]) -> None:
    """Write one frame of a sequence.

    Args:
        path: The PNG to write; its folder exists.
        train_ids: Cityscapes trainId per pixel, 255 void, (H, W).
        ids: Track id per pixel, 0 for none, (H, W).

    Raises:
        DataError: The file cannot be written.
    """
    red, green, blue = train_ids, (ids >> 8).astype(np.uint8), (ids & 255).astype(np.uint8)
    write_png(path, np.dstack([blue, green, red]))


def read_kitti_step(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Read one frame of a sequence.

    Returns:
        trainId and object id per pixel, each (H, W).

    Raises:
        DataError: The file is missing or is not an 8-bit RGB image.
    """
    image = read_rgb(path)
    red, green, blue = (image[..., channel] for channel in range(3))
    ids = green.astype(np.uint16) * 256 + blue
    return np.asarray(red, np.uint8), np.asarray(ids, np.uint16)


def read_labels(path: Path) -> LabelMap:
    """Read one frame of a sequence and check its classes.

    Raises:
        DataError: The file is missing, is no 8-bit RGB image, or has a class that KITTI-STEP
            does not have.
    """
    labels, ids = read_kitti_step(path)
    unknown = labels[(labels >= len(CATEGORIES)) & (labels != VOID)]
    if unknown.size:
        raise DataError(
            f"{path}: has class {int(unknown[0])}; KITTI-STEP has 0 to {len(CATEGORIES) - 1} and "
            f"{VOID} for void"
        )
    return LabelMap(labels, ids)


def find_sequences(folder: Path) -> dict[str, dict[str, Path]]:
    """Find the images of every sequence.

    Args:
        folder: Holds one folder per sequence, as ``panoptic_maps/val`` does, or is itself one.

    Returns:
        Path by stem by name of the sequence, both in order; the folder itself is ``""`` where
        there are others.

    Raises:
        DataError: There is no image.
    """
    places = {"": folder} if folder.is_dir() else {}
    places |= {path.name: path for path in sorted(folder.glob("*/"))}
    found = {
        name: {path.stem: path for path in sorted(place.glob("*.png"))}
        for name, place in places.items()
    }
    filled = {name: frames for name, frames in found.items() if frames}
    if not filled:
        raise DataError(f"{folder}: holds no .png file and no folder with any")
    if set(filled) == {""}:
        return {sequence_name(folder): filled[""]}
    return filled


def find(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    """Find the frames of every sequence; given the truth, they are predictions for it.

    Raises:
        DataError: There is no image.
    """
    sequences = {
        sequence: {
            stem: map_file(path, read_labels, CATEGORIES, truth is None)
            for stem, path in frames.items()
        }
        for sequence, frames in find_sequences(place.labels).items()
    }
    return LabelFiles(CATEGORIES, sequences, is_video=True)


class KittiStepWriter(ImageWriter):
    """``<stem>.png`` with Cityscapes trainIds and track ids; the images are one sequence.

    Args:
        folder: Where to; it exists.
        labels: The classes of the model.
        categories: Of no use here.

    Raises:
        DataError: No class of the model is known to Cityscapes.
    """

    def __init__(self, folder: Path, labels: LabelSet, categories: Path | None = None) -> None:
        self._folder = folder
        self._table = train_id_table(labels)
        known = np.flatnonzero(self._table != VOID).tolist()
        self._left_out = LeftOut(labels, known, "Cityscapes")

    def write(self, result: Result, name: str) -> None:
        """Write one frame of the sequence.

        Raises:
            DataError: The file cannot be written.
        """
        train_ids = self._table[enlarge(result.track_labels(), result.camera_size)]
        ids = enlarge(result.track_ids(), result.camera_size)
        write_kitti_step(self._folder / f"{Path(name).stem}.png", train_ids, ids)
        self._left_out.note(result.panoptic)

    def remarks(self) -> tuple[str, ...]:
        """Say which classes Cityscapes lacks."""
        return self._left_out.remarks()


FORMAT = Format(
    find,
    "one folder of PNG files per sequence, or one such folder",
    metrics=("pq", "miou", "stq", "vpq", "clear", "hota", "idf1"),
    open_writer=KittiStepWriter,
    written="<stem>.png with track ids, the input is one sequence",
    files=("*.png",),
)
