# SPDX-License-Identifier: Apache-2.0
"""A folder of images: what is said of those that come out nearly black."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.recordings.open import open_source


def notes(folder: Path) -> list[str]:
    with open_source(folder) as source:
        assert len(list(source.frames())) == 3
        return source.read_errors.notes


@pytest.mark.parametrize("suffix", ["png", "tif", "ppm"])
@pytest.mark.parametrize(("top", "is_told"), [(1020, True), (4095, True), (5000, False)])
def test_twelve_bits_in_sixteen_are_told_once(
    suffix: str, top: int, is_told: bool, tmp_path: Path
) -> None:
    image = np.linspace(0, top, 3 * 1024).astype(np.uint16).reshape(32, 32, 3)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.{suffix}"), image)
    found = notes(tmp_path)
    assert len(found) == int(is_told)
    assert not is_told or "16-bit image is nearly black: no value reaches 4096" in found[0]


def test_a_night_of_eight_bits_is_not_told(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((32, 32, 3), 9, np.uint8))
    assert notes(tmp_path) == []
