# SPDX-License-Identifier: Apache-2.0
"""Camera calibrations as ROS keeps them in files, YAML or INI.

Source: camera_calibration_parsers, parse_yml.cpp and parse_ini.cpp. What these take is taken here,
and OpenCV's own files of the same content, which they refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files import output
from panoptic_ros.core.files.document import DocumentError, parse_yaml, read_text
from panoptic_ros.core.ground.calibration import EQUIDISTANT, PLUMB_BOB, Intrinsics
from panoptic_ros.core.ground.camera_model import COEFFICIENTS

_RATIONAL = "rational_polynomial"
_MOST_PLUMB_BOB = 5

_OPENCV_HEAD = re.compile(r"\A%YAML:1\.\d\s*$", re.MULTILINE)
_OPENCV_TAG = re.compile(r"!!opencv-\w+")

_INI_KEYS = {
    "width": "image_width",
    "height": "image_height",
    "camera matrix": "camera_matrix",
    "distortion": "distortion_coefficients",
    "rectification": "rectification_matrix",
    "projection": "projection_matrix",
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
        output.write_text(path, text)
    except OSError as error:
        raise DataError(output.unwritten(path, error)) from error


def read_camera_yaml(path: Path) -> CameraFile:
    """Read a calibration that ROS's tools, OpenCV or ``panoptic calibrate`` wrote.

    A file that does not say its distortion model is plumb_bob; without a rectification there is
    none, and the projection is that of the camera matrix.

    Args:
        path: The file; ``.ini`` is read as INI, everything else as YAML.

    Raises:
        DataError: The file is missing or is no such file.
    """
    is_ini = path.suffix.lower() == ".ini"
    try:
        text = read_text(path)
        document = _parse_ini(text) if is_ini else _parse_yaml(text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except DocumentError as error:
        kind = "INI" if is_ini else "YAML"
        raise DataError(f"{path}: is not {kind} ({error})") from error
    if not isinstance(document, dict):
        raise DataError(
            f"{path}: is not a camera calibration, it has no keys such as camera_matrix; panoptic "
            "calibrate writes one"
        )
    try:
        return _camera_file(document)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{path}: is not a camera calibration, {_what(error)}; panoptic calibrate writes one"
        ) from error


def _parse_yaml(text: str) -> Any:
    """Parse YAML, also as OpenCV's FileStorage writes it: another head, and tags of its own."""
    return parse_yaml(_OPENCV_TAG.sub("", _OPENCV_HEAD.sub("", text)))


def _parse_ini(text: str) -> dict[str, Any]:
    """Collect the numbers below each key; sections and comments are left out."""
    numbers: dict[str, list[float]] = {}
    below: list[float] = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0].startswith("["):
            continue
        if words[0][0].isalpha():
            below = numbers.setdefault(_INI_KEYS.get(" ".join(words), ""), [])
        else:
            below.extend(map(_number, words))
    sides = {
        name: value[0] for name, value in numbers.items() if name.startswith("image") and value
    }
    return {**{name: {"data": value} for name, value in numbers.items()}, **sides}


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise DocumentError(f"{word!r} is not a number") from None


def _camera_file(document: Any) -> CameraFile:
    k = _values(document, "camera_matrix", (3, 3))
    plain = np.hstack((k.reshape(3, 3), np.zeros((3, 1)))).ravel()
    d = _numbers(document, "distortion_coefficients") if _has_distortion(document) else np.zeros(0)
    return CameraFile(
        height=_side(document, "image_height"),
        width=_side(document, "image_width"),
        distortion_model=_model(document, d.size),
        d=d,
        k=k,
        r=_values(document, "rectification_matrix", (3, 3), np.eye(3).ravel()),
        p=_values(document, "projection_matrix", (3, 4), plain),
    )


def _has_distortion(document: Any) -> bool:
    entry = document.get("distortion_coefficients")
    return bool(entry) and (not isinstance(entry, dict) or entry.get("data") is not None)


def _model(document: Any, count: int) -> str:
    """Name the distortion model; files of older tools do not, or say ``camera_model``."""
    told = document.get("distortion_model")
    if told is not None:
        return str(told)
    older = str(document.get("camera_model"))
    if older in COEFFICIENTS or older == EQUIDISTANT:
        return older
    return PLUMB_BOB if count <= _MOST_PLUMB_BOB else _RATIONAL


def _matrix(values: NDArray[np.float64]) -> dict[str, Any]:
    rows, columns = values.shape
    data = [round(value, _DECIMALS) for value in values.ravel().tolist()]
    return {"rows": rows, "cols": columns, "data": data}


def _values(
    document: Any,
    name: str,
    shape: tuple[int, int],
    default: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    if default is not None and name not in document:
        return default
    values = _numbers(document, name)
    if values.size != shape[0] * shape[1]:
        raise ValueError(f"{name} has {values.size} numbers, needs {shape[0] * shape[1]}")
    return values


def _numbers(document: Any, name: str) -> NDArray[np.float64]:
    entry = document[name]
    data = entry["data"] if isinstance(entry, dict) else entry
    # 1e-05 is a word in YAML 1.1, and a number in what wrote it.
    values = np.array(data, np.float64).ravel()
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
