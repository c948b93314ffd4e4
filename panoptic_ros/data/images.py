# SPDX-License-Identifier: Apache-2.0
"""Camera images from files, always on the grid on which their pixels are stored.

Labels, calibrations and networks speak of the sensor's pixels, so an EXIF orientation, which asks
a viewer to turn the image, is not applied by any reader.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
"""Endings of the files that ``read_image`` is asked to read."""

_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a colour image.

    Returns:
        RGB image, shape (H, W, 3), as it is stored.

    Raises:
        DataError: The file is missing or is not an image.
    """
    image = cv2.imread(str(path), _FLAGS)
    if image is None:
        raise DataError(f"{path}: missing or not an image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
