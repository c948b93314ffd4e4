# SPDX-License-Identifier: Apache-2.0
"""Cityscapes numbers, and label files in its encoding, to write and to read.

Source: cityscapesScripts, ``helpers/labels.py`` and the instanceIds rule of its README: a pixel
of an object is labelId * 1000 + n, any other pixel is its labelId.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.output import write_image
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.format import DataSetLocation, Format, ImageWriter, map_file
from panoptic_ros.data.image_search import bare_name
from panoptic_ros.data.label_files import LabelFiles
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.data.left_out import LeftOut
from panoptic_ros.data.png import read_grey_16

LABEL_IDS = {
    "road": 7,
    "sidewalk": 8,
    "building": 11,
    "wall": 12,
    "fence": 13,
    "pole": 17,
    "traffic light": 19,
    "traffic sign": 20,
    "vegetation": 21,
    "terrain": 22,
    "sky": 23,
    "person": 24,
    "rider": 25,
    "car": 26,
    "truck": 27,
    "bus": 28,
    "train": 31,
    "motorcycle": 32,
    "bicycle": 33,
}
"""labelId of the 19 evaluated classes; their order is the trainId."""

THINGS = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")

CATEGORIES = tuple(Category(number, name, name in THINGS) for name, number in LABEL_IDS.items())
"""The evaluated classes; the position is the trainId, the id the labelId."""

UNLABELED = 0
MOST_OBJECTS = 1000


def train_id_table(labels: LabelSet) -> NDArray[np.uint8]:
    """Map class indices to Cityscapes trainIds by class name.

    Args:
        labels: The classes of a model.

    Returns:
        trainId of every label value, 255 where Cityscapes has no class of that name, (256,).

    Raises:
        DataError: No name is known to Cityscapes.
    """
    order = list(LABEL_IDS)
    table = np.full(256, VOID, np.uint8)
    for label in labels.labels:
        if label.name in LABEL_IDS:
            table[label.index] = order.index(label.name)
    _check_any(labels, bool((table != VOID).any()))
    return table


def label_id_table(labels: LabelSet) -> NDArray[np.uint8]:
    """Map class indices to Cityscapes labelIds by class name; 0 is unlabeled, (256,).

    Raises:
        DataError: No name is known to Cityscapes.
    """
    table = np.zeros(256, np.uint8)
    for label in labels.labels:
        table[label.index] = LABEL_IDS.get(label.name, UNLABELED)
    _check_any(labels, bool(table.any()))
    return table


def _check_any(labels: LabelSet, is_any: bool) -> None:
    if not is_any:
        raise DataError(
            f"label set {labels.name} has no class that Cityscapes has; needs names like "
            f"{', '.join(list(LABEL_IDS)[:4])}, or write with --format coco"
        )


def instance_ids(label_ids: NDArray[np.uint8], ids: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Encode labels and objects as Cityscapes does.

    Args:
        label_ids: labelId per pixel, (H, W).
        ids: Object per pixel, 0 for none, (H, W); each object has one labelId.

    Returns:
        labelId * 1000 + n where there is an object, n counted from 0 in each class in the order
        of the ids; else labelId, (H, W). Objects of unlabeled pixels are left out.

    Raises:
        DataError: More than 1000 objects of one class.
    """
    values = np.zeros(int(ids.max(initial=0)) + 1, np.uint16)
    seen: dict[int, int] = {}
    objects, first = np.unique(ids, return_index=True)
    for number, position in zip(objects.tolist(), first.tolist(), strict=True):
        label_id = int(label_ids.flat[position])
        if number == NO_ID or label_id == UNLABELED:
            continue
        count = seen.get(label_id, 0)
        if count == MOST_OBJECTS:
            raise DataError(f"more than {MOST_OBJECTS} objects of labelId {label_id}")
        values[number] = label_id * 1000 + count
        seen[label_id] = count + 1
    coded = values[ids]
    return np.where(coded > 0, coded, label_ids).astype(np.uint16)


def write_cityscapes(
    folder: Path, stem: str, labels: NDArray[np.uint8], ids: NDArray[np.uint16]
) -> None:
    """Write ``<stem>_instanceIds.png`` (16 bit) and ``<stem>_labelIds.png`` (8 bit).

    Args:
        folder: Where to; it exists.
        stem: Name of the image without its ending.
        labels: labelId per pixel, (H, W).
        ids: Object per pixel, 0 for none, (H, W).

    Raises:
        DataError: A file cannot be written.
    """
    write_png(folder / f"{stem}_instanceIds.png", instance_ids(labels, ids))
    write_png(folder / f"{stem}_labelIds.png", labels)


def write_png(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write an 8 or 16 bit PNG; three channels are taken as BGR.

    Raises:
        DataError: The file cannot be written.
    """
    write_image(path, image, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def read_instance_ids(path: Path) -> LabelMap:
    """Read ``*_gtFine_instanceIds.png``, or what ``write_cityscapes`` wrote.

    Returns:
        Positions among ``CATEGORIES``; classes that are not evaluated are void. A pixel of a thing
        class that belongs to a group, not to an object, has id 0.

    Raises:
        DataError: The file is missing or is not a 16-bit grey image.
    """
    values = read_grey_16(path, "16-bit grey instanceIds")
    labels, ids = _tables()
    return LabelMap(labels[values], ids[values])


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Class position and object of every value of an image, (65536,) each."""
    values = np.arange(1 << 16)
    is_object = values >= MOST_OBJECTS
    label_ids = np.where(is_object, values // MOST_OBJECTS, values)
    labels = np.full(values.size, VOID, np.uint8)
    for position, category in enumerate(CATEGORIES):
        labels[label_ids == category.id] = position
    # Objects are counted from 0, which says "none" here.
    return labels, np.where(is_object, values % MOST_OBJECTS + 1, NO_ID).astype(np.uint16)


def find_instance_ids(folder: Path) -> dict[str, Path]:
    """Find the instanceIds images of a split, in one folder per city or all in one.

    Returns:
        Path by name of the image, without the endings that the data set gives to its kinds of
        files, in order.

    Raises:
        DataError: There is none, or two have the same name.
    """
    found: dict[str, Path] = {}
    for path in sorted([*folder.glob("*_instanceIds.png"), *folder.glob("*/*_instanceIds.png")]):
        name = bare_name(path.stem)
        if name in found:
            raise DataError(f"{path} and {found[name]} are both of the image {name}")
        found[name] = path
    if not found:
        raise DataError(f"{folder}: holds no *_instanceIds.png and no folder with any")
    return found


def image_of(path: Path, name: str) -> Path | None:
    """Where the data set keeps the image of a label file; None outside of its folders."""
    parts = list(path.parts)
    if "gtFine" not in parts:
        return None
    parts[len(parts) - 1 - parts[::-1].index("gtFine")] = "leftImg8bit"
    return Path(*parts).with_name(f"{name}_leftImg8bit.png")


def find(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    """Find the images of a split; given the truth, they are predictions for it.

    Raises:
        DataError: There is none, or two have the same name.
    """
    files = {
        name: map_file(
            path,
            read_instance_ids,
            CATEGORIES,
            truth is None,
            name=name,
            image=image_of(path, name),
        )
        for name, path in find_instance_ids(place.labels).items()
    }
    return LabelFiles(CATEGORIES, {"": files})


class CityscapesWriter(ImageWriter):
    """``<stem>_instanceIds.png`` and ``<stem>_labelIds.png``; images are independent.

    Args:
        folder: Where to; it exists.
        labels: The classes of the model.
        categories: Of no use here.

    Raises:
        DataError: No class of the model is known to Cityscapes.
    """

    def __init__(self, folder: Path, labels: LabelSet, categories: Path | None = None) -> None:
        self._folder = folder
        self._table = label_id_table(labels)
        self._left_out = LeftOut(labels, np.flatnonzero(self._table).tolist(), "Cityscapes")

    def write(self, result: Result, name: str) -> None:
        """Write one image's files.

        Raises:
            DataError: A file cannot be written.
        """
        label_ids = self._table[enlarge(result.panoptic.labels, result.camera_size)]
        ids = enlarge(result.panoptic.ids, result.camera_size)
        write_cityscapes(self._folder, Path(name).stem, label_ids, ids)
        self._left_out.note(result.panoptic)

    def remarks(self) -> tuple[str, ...]:
        """Say which classes Cityscapes lacks."""
        return self._left_out.remarks()


FORMAT = Format(
    find,
    "folder of *_instanceIds.png, or of one such folder per city; or its panoptic JSON",
    open_writer=CityscapesWriter,
    written="<stem>_instanceIds.png, <stem>_labelIds.png",
    files=("*_instanceIds.png", "*_labelIds.png"),
)
