# SPDX-License-Identifier: Apache-2.0
"""KITTI-STEP pictures: red is the class, green and blue the object."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.kitti_step import read_kitti_step, write_kitti_step


def test_red_is_the_class_green_the_high_and_blue_the_low_byte_of_the_id(tmp_path: Path) -> None:
    classes = np.array([[13, 255, 0]], np.uint8)
    ids = np.array([[0x1234, 0, 65535]], np.uint16)
    write_kitti_step(tmp_path / "x.png", classes, ids)
    rgb = cv2.imread(str(tmp_path / "x.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert rgb.tolist() == [[[13, 0x12, 0x34], [255, 0, 0], [0, 255, 255]]]
    read = read_kitti_step(tmp_path / "x.png")
    np.testing.assert_array_equal(read[0], classes)
    np.testing.assert_array_equal(read[1], ids)


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_bad_picture_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.png: missing or not a picture"):
        read_kitti_step(tmp_path / "x.png")


def test_a_grey_picture_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match="needs 8-bit RGB"):
        read_kitti_step(tmp_path / "x.png")
