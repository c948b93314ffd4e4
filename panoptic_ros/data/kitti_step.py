# SPDX-License-Identifier: Apache-2.0
"""Label files in the KITTI-STEP encoding.

Source: deeplab2, ``g3doc/setup/kitti_step.md``: R is the Cityscapes trainId (255 void), and
G * 256 + B the id of the object; things are persons and cars.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import VOID
from panoptic_ros.data.cityscapes import LABEL_IDS, write_png
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.data.png import read_png

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
    image = read_png(path)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise DataError(f"{path}: is {image.dtype} {image.shape}, needs 8-bit RGB")
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
        Path by stem by name of the sequence, both in order; the folder itself is ``""``.

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
    return filled
