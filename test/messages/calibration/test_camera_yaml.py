# SPDX-License-Identifier: Apache-2.0
"""Calibration files of every tool that ROS users have."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.messages.calibration.camera_yaml import read_camera_yaml

MATRIX = [500.0, 0.0, 320.0, 0.0, 510.0, 180.0, 0.0, 0.0, 1.0]
D = [0.1, -0.2, 0.001, 1e-05, 0.0]
PLAIN = f"""image_width: 640
image_height: 360
camera_name: front
camera_matrix:
  rows: 3
  cols: 3
  data: {MATRIX}
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: {D}
rectification_matrix:
  rows: 3
  cols: 3
  data: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
projection_matrix:
  rows: 3
  cols: 4
  data: [480.0, 0.0, 320.0, 0.0, 0.0, 490.0, 180.0, 0.0, 0.0, 0.0, 1.0, 0.0]
"""
INI = """# Prosilica camera intrinsics

[image]

width
640

height
360

[front]

camera matrix
500.0 0.0 320.0
0.0 510.0 180.0   # principal point
0.0 0.0 1.0

distortion
0.1 -0.2 0.001 1e-05 0.0

rectification
1 0 0
0 1 0
0 0 1

projection
480 0 320 0
0 490 180 0
0 0 1 0
"""


def opencv_file(folder: Path) -> str:
    """What OpenCV's FileStorage makes of the same values."""
    path = folder / "written.yaml"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 640)
    storage.write("image_height", 360)
    storage.write("camera_matrix", np.reshape(MATRIX, (3, 3)))
    storage.write("distortion_model", "plumb_bob")
    storage.write("distortion_coefficients", np.array([D]))
    storage.write(
        "projection_matrix", np.array([[480.0, 0, 320, 0], [0, 490, 180, 0], [0, 0, 1, 0]])
    )
    storage.release()
    return path.read_text(encoding="utf-8")


TAGGED = PLAIN.replace("matrix:\n", "matrix: !!opencv-matrix\n")
FORMS = {
    "as ROS writes it": PLAIN,
    "without a model": PLAIN.replace("distortion_model: plumb_bob\n", ""),
    "camera_model": PLAIN.replace("distortion_model:", "camera_model:"),
    "another camera_model": PLAIN.replace("distortion_model: plumb_bob", "camera_model: pinhole"),
    "OpenCV's tags": TAGGED.replace("coefficients:\n", "coefficients: !!opencv-matrix\n"),
    "no rectification": PLAIN[: PLAIN.index("rect")] + PLAIN[PLAIN.index("projection") :],
}


def read(text: str, folder: Path, name: str = "camera.yaml") -> tuple[object, ...]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    file = read_camera_yaml(path)
    matrices = (file.k.tolist(), file.d.tolist(), file.p[0], file.r.tolist())
    return (file.width, file.height, file.distortion_model, *matrices)


EXPECTED = (640, 360, "plumb_bob", MATRIX, D, 480.0, np.eye(3).ravel().tolist())


@pytest.mark.parametrize("form", FORMS)
def test_the_same_camera_is_read_from_every_form_of_yaml(form: str, tmp_path: Path) -> None:
    assert read(FORMS[form], tmp_path) == EXPECTED


def test_opencvs_own_files_are_read(tmp_path: Path) -> None:
    assert read(opencv_file(tmp_path), tmp_path) == EXPECTED


def test_ini_files_are_read(tmp_path: Path) -> None:
    assert read(INI, tmp_path, "camera.ini") == EXPECTED


def test_a_fisheye_keeps_its_model_under_the_older_name(tmp_path: Path) -> None:
    text = PLAIN.replace("distortion_model: plumb_bob", "camera_model: equidistant")
    assert read(text, tmp_path)[2] == "equidistant"


def test_eight_values_without_a_model_are_rational(tmp_path: Path) -> None:
    text = FORMS["without a model"].replace(str(D), str([*D, 0.1, 0.1, 0.1]))
    assert read(text, tmp_path)[2] == "rational_polynomial"


@pytest.mark.parametrize("values", ["{rows: 0, cols: 0, data: []}", "{data: null}", "[]", "null"])
def test_no_distortion_is_no_distortion(values: str, tmp_path: Path) -> None:
    start, end = PLAIN.index("distortion_coefficients"), PLAIN.index("rectification")
    text = f"{PLAIN[:start]}distortion_coefficients: {values}\n{PLAIN[end:]}"
    assert read(text, tmp_path)[4] == []


def test_without_a_projection_it_is_the_camera_matrix(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(PLAIN[: PLAIN.index("projection")], encoding="utf-8")
    expected = [500.0, 0, 320, 0, 0, 510, 180, 0, 0, 0, 1, 0]
    assert read_camera_yaml(path).p.tolist() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (INI.replace("500.0", "wide"), "camera_matrix has 0 numbers, needs 9"),
        (INI.replace("0.0 0.0 1.0", "0.0 0.0 1,0"), "'1,0' is not a number"),
        (INI.replace("camera matrix", "matrix"), "lacks 'camera_matrix'"),
        ("", "lacks 'camera_matrix'"),
    ],
    ids=["a word", "a comma", "another key", "empty"],
)
def test_an_ini_file_that_is_no_calibration_is_refused(
    text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words):
        read(text, tmp_path, "camera.ini")
