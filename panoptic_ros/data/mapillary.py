# SPDX-License-Identifier: Apache-2.0
"""Label files of Mapillary Vistas 1.2 and 2.0.

Source: the README and ``demo.py`` of the data set: ``config_v1.2.json`` and ``config_v2.0.json``
list the classes; a pixel of ``<split>/<version>/instances/*.png`` is class * 256 + object. (Their
``panoptic`` folders are COCO panoptic.)
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.labels import MAX_CLASSES
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.format import DataSetLocation, Format, map_file
from panoptic_ros.data.json_document import MalformedError, entries, read_document, text
from panoptic_ros.data.label_files import LabelFiles
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.data.png import read_grey_16

_PER_CLASS = 256
VERSIONS = ("v1.2", "v2.0")


def read_config(path: Path) -> tuple[Category, ...]:
    """Read the classes of ``config_v1.2.json`` or ``config_v2.0.json``.

    Returns:
        All classes under their readable names; position and id are the class of the files.

    Raises:
        DataError: The file is missing or is no such configuration; the message says where.
    """
    document = read_document(path)
    try:
        listed = list(entries(document, "labels"))
        categories = tuple(
            Category(
                id=position,
                name=text(entry, "readable", where),
                is_thing=entry.get("instances") is True,
            )
            for position, (where, entry) in enumerate(listed)
        )
    except MalformedError as error:
        raise DataError(f"{path}: {error}") from error
    if not 0 < len(categories) <= MAX_CLASSES:
        raise DataError(f"{path}: has {len(categories)} classes, needs 1 to {MAX_CLASSES}")
    return categories


def void_classes(path: Path) -> tuple[int, ...]:
    """Read which classes of a configuration are not evaluated.

    Raises:
        DataError: The file is missing or is no such configuration.
    """
    try:
        listed = list(entries(read_document(path), "labels"))
    except MalformedError as error:
        raise DataError(f"{path}: {error}") from error
    return tuple(
        position for position, (_, entry) in enumerate(listed) if entry.get("evaluate") is False
    )


def read_instances(
    path: Path, categories: tuple[Category, ...], void: tuple[int, ...] = ()
) -> LabelMap:
    """Read an image of an ``instances`` folder.

    Args:
        path: The image.
        categories: What ``read_config`` read.
        void: Classes that become void.

    Returns:
        Positions among the categories; objects of thing classes are counted from 1.

    Raises:
        DataError: The file is missing, is not 16-bit grey or has a class that is not listed.
    """
    values = read_grey_16(path, "16-bit grey instances")
    labels = (values // _PER_CLASS).astype(np.uint8)
    highest = int(labels.max(initial=0))
    if highest >= len(categories):
        raise DataError(
            f"{path}: has class {highest}, the configuration has 0 to {len(categories) - 1}; "
            f"versions {' and '.join(VERSIONS)} have files of their own"
        )
    things = np.zeros(256, np.bool_)
    things[: len(categories)] = [category.is_thing for category in categories]
    # Objects are counted from 0, which says "none" here.
    ids = np.where(things[labels], values % _PER_CLASS + 1, NO_ID).astype(np.uint16)
    table = np.arange(256, dtype=np.uint8)
    table[list(void)] = VOID
    return LabelMap(table[labels], np.where(table[labels] == VOID, NO_ID, ids).astype(np.uint16))


def instances_folder(folder: Path) -> Path:
    """Find the ``instances`` folder of a split, given itself or the folder of its version."""
    below = folder / "instances"
    return below if below.is_dir() else folder


def find_config(folder: Path) -> Path:
    """Find the configuration that belongs to ``<root>/<split>/<version>/instances``.

    Raises:
        DataError: There is none where the data set has it.
    """
    for version in VERSIONS:
        if version in folder.parts:
            found = [parent / f"config_{version}.json" for parent in folder.parents[:4]]
            for path in found:
                if path.is_file():
                    return path
    raise DataError(
        f"{folder}: no config_v1.2.json or config_v2.0.json above a folder of that version; name "
        "it with --config"
    )


def find(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    """Find the images of a version of a split; given the truth, predictions for it.

    Raises:
        DataError: There is none, or the configuration is missing or wrong.
    """
    folder = instances_folder(place.labels)
    if truth is None:
        config = place.config or find_config(folder)
        categories, void = read_config(config), void_classes(config)
    else:
        categories, void = truth.categories, truth.void
    read = partial(read_instances, categories=categories, void=void)
    images = folder.parents[1] / "images"
    files = {
        path.stem: map_file(
            path, read, categories, truth is None, image=images / f"{path.stem}.jpg"
        )
        for path in sorted(folder.glob("*.png"))
    }
    if not files:
        raise DataError(f"{folder}: holds no .png file")
    return LabelFiles(categories, {"": files}, void=void)


FORMAT = Format(find, "instances of a version, or a panoptic JSON")
