# SPDX-License-Identifier: Apache-2.0
"""The full file format of ADE20K: ``<image>_seg.png`` and ``<image>.json``.

Source: https://github.com/CSAILVision/ADE20K, ``utils/utils_ade20k.py``: the class of a pixel is
R // 10 * 256 + G, counted from 1, its object B; the JSON names the class of each object. (The
150-class panoptic version is COCO panoptic.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.label_documents import shipped_label_set
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.format import DataSetLocation, Format, map_file
from panoptic_ros.data.json_document import (
    MalformedError,
    entries,
    read_document,
    text,
    whole_number,
)
from panoptic_ros.data.label_files import LabelFiles, by_key
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.data.png import read_rgb

_MOST_CLASSES = 26 * 256


def read_seg(path: Path) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Read ``<image>_seg.png``.

    Returns:
        Class of each pixel among the thousands of ADE20K, 0 for none, and its object, 0 for none,
        each (H, W).

    Raises:
        DataError: The file is missing or is not an 8-bit RGB image.
    """
    image = read_rgb(path)
    red, green, blue = (image[..., channel] for channel in range(3))
    return (red // 10).astype(np.uint16) * 256 + green, np.asarray(blue, np.uint8)


def read_names(path: Path) -> dict[int, str]:
    """Read the names of the classes that occur in an image from its ``<image>.json``.

    Raises:
        DataError: The file is missing or is no such annotation; the message says where.
    """
    # Some of the files hold names in Latin-1; what we read of them is ASCII.
    document = read_document(path, encoding="latin-1")
    annotation = document.get("annotation") if isinstance(document, Mapping) else None
    try:
        return {
            whole_number(entry, "name_ndx", where): text(entry, "name", where)
            for where, entry in entries(annotation, "object", "annotation: ")
        }
    except MalformedError as error:
        raise DataError(f"{path}: {error}") from error


def read_labels(seg_path: Path, categories: Sequence[Category]) -> LabelMap:
    """Read an image's labels into classes of ours, matched by name.

    Args:
        seg_path: ``<image>_seg.png``; ``<image>.json`` lies beside it.
        categories: At most 255 classes; what has none of their names becomes void.

    Raises:
        DataError: A file is missing or wrong, or the image has a class that the JSON lacks.
    """
    classes, objects = read_seg(seg_path)
    json_path = seg_path.with_name(seg_path.name.removesuffix("_seg.png") + ".json")
    names = read_names(json_path)
    position = {category.name: index for index, category in enumerate(categories)}
    table = np.full(_MOST_CLASSES, VOID, np.uint8)
    for number, name in names.items():
        if 0 < number < _MOST_CLASSES:
            table[number] = position.get(name, VOID)
    unnamed = set(np.unique(classes).tolist()) - set(names) - {0}
    if unnamed:
        raise DataError(f"{seg_path}: has class {min(unnamed)}, {json_path.name} does not name it")
    things = np.zeros(256, np.bool_)
    things[: len(categories)] = [category.is_thing for category in categories]
    labels = table[classes]
    return LabelMap(labels, np.where(things[labels], objects, NO_ID).astype(np.uint16))


def find(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    """Find the images of a folder and those below; given the truth, predictions for it.

    Raises:
        DataError: There is none, or two have the same name.
    """
    known = shipped_label_set("ade20k")
    categories = tuple(
        Category(entry.index, entry.name, entry.is_thing, entry.color) for entry in known.labels
    )
    read = partial(read_labels, categories=categories)
    names = {path: path.name.removesuffix("_seg.png") for path in place.labels.rglob("*_seg.png")}
    if not names:
        raise DataError(f"{place.labels}: holds no *_seg.png; ADE20K's 150 classes are a JSON")
    files = by_key(
        (
            name,
            map_file(
                path,
                read,
                categories,
                truth is None,
                name=name,
                image=path.with_name(f"{name}.jpg"),
            ),
        )
        for path, name in sorted(names.items())
    )
    return LabelFiles(categories, {"": files})


FORMAT = Format(find, "folder of *_seg.png, or a panoptic JSON of the 150 classes")
