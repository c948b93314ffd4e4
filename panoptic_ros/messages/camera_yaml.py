# SPDX-License-Identifier: Apache-2.0
"""Camera calibrations as ROS keeps them in files: the YAML of ``camera_calibration_parsers``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import DocumentError, read_yaml
from panoptic_ros.core.ground.calibration import Intrinsics

_SHAPES = {
    "camera_matrix": (3, 3),
    "rectification_matrix": (3, 3),
    "projection_matrix": (3, 4),
}
_DECIMALS = 6


@dataclass(frozen=True)
class NoRegion:
    """The region of interest of a camera that sends whole images."""

    x_offset: int = 0
    y_offset: int = 0
    height: int = 0
    width: int = 0
    do_rectify: bool = False


@dataclass(frozen=True, eq=False)
class CameraFile:
    """What a file says, under the names that a CameraInfo message has for it.

    Attributes:
        height: Of the images, in pixels.
        width: Of the images, in pixels.
        distortion_model: E.g. ``plumb_bob`` or ``equidistant``.
        d: Distortion, as many values as the model has.
        k: Camera matrix, (9,).
        r: Rectification matrix, (9,).
        p: Projection matrix, (12,).
    """

    height: int
    width: int
    distortion_model: str
    d: NDArray[np.float64]
    k: NDArray[np.float64]
    r: NDArray[np.float64]
    p: NDArray[np.float64]
    binning_x: int = 0
    binning_y: int = 0
    roi: NoRegion = field(default_factory=NoRegion)


def write_camera_yaml(path: Path, intrinsics: Intrinsics, name: str) -> None:
    """Write a calibration so that camera drivers of ROS read it.

    Args:
        path: The file.
        intrinsics: The calibration.
        name: ``camera_name``, which drivers compare with their own.

    Raises:
        DataError: It cannot be written.
    """
    import yaml

    document = {
        "image_width": intrinsics.size[0],
        "image_height": intrinsics.size[1],
        "camera_name": name,
        "camera_matrix": _matrix(intrinsics.matrix),
        "distortion_model": intrinsics.model,
        "distortion_coefficients": _matrix(intrinsics.distortion[None]),
        "rectification_matrix": _matrix(np.eye(3)),
        "projection_matrix": _matrix(intrinsics.projection),
    }
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=None)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def read_camera_yaml(path: Path) -> CameraFile:
    """Read a calibration that ROS's tools or ``panoptic calibrate`` wrote.

    Raises:
        DataError: The file is missing or is no such file.
    """
    try:
        document = read_yaml(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except DocumentError as error:
        raise DataError(f"{path}: is not YAML ({error})") from error
    try:
        k, r, p = (_values(document, name, shape) for name, shape in _SHAPES.items())
        return CameraFile(
            height=_side(document, "image_height"),
            width=_side(document, "image_width"),
            distortion_model=str(document["distortion_model"]),
            d=_numbers(document, "distortion_coefficients"),
            k=k,
            r=r,
            p=p,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{path}: is no camera calibration, {_what(error)}; panoptic calibrate writes one"
        ) from error


def _matrix(values: NDArray[np.float64]) -> dict[str, Any]:
    rows, columns = values.shape
    data = [round(value, _DECIMALS) for value in values.ravel().tolist()]
    return {"rows": rows, "cols": columns, "data": data}


def _values(document: Any, name: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    values = _numbers(document, name)
    if values.size != shape[0] * shape[1]:
        raise ValueError(f"{name} has {values.size} numbers, needs {shape[0] * shape[1]}")
    return values


def _numbers(document: Any, name: str) -> NDArray[np.float64]:
    values = np.array(document[name]["data"], np.float64).ravel()
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds what is not a finite number")
    return values


def _side(document: Any, name: str) -> int:
    value = int(document[name])
    if value < 1:
        raise ValueError(f"{name} is {value}, needs at least 1")
    return value


def _what(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)
