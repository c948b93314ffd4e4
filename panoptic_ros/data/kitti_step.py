# SPDX-License-Identifier: Apache-2.0
"""Label files in the KITTI-STEP encoding.

Source: deeplab2, ``g3doc/setup/kitti_step.md``: R is the Cityscapes trainId (255 void), and
G * 256 + B the id of the object.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.cityscapes import write_png


def write_kitti_step(
    path: Path, train_ids: NDArray[np.uint8], ids: NDArray[np.uint16]
) -> None:
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
        DataError: The file is missing or is not an 8-bit RGB picture.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise DataError(f"{path}: missing or not a picture")
    if picture.ndim != 3 or picture.dtype != np.uint8:
        raise DataError(f"{path}: is {picture.dtype} {picture.shape}, needs 8-bit RGB")
    blue, green, red = (picture[..., channel] for channel in range(3))
    ids = green.astype(np.uint16) * 256 + blue
    return np.asarray(red, np.uint8), np.asarray(ids, np.uint16)
