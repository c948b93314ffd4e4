# SPDX-License-Identifier: Apache-2.0
"""Images come back on the grid on which they are stored, whatever EXIF says."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.exif import orientation
from panoptic_ros.data.images import exif_hint, exif_orientation, read_image
from test.drawn.drawn_images import write_with_orientation

IMAGE = np.zeros((4, 8, 3), np.uint8)
IMAGE[0, :, 0] = 200


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("value", range(1, 9))
def test_no_orientation_turns_the_pixels(tmp_path: Path, suffix: str, value: int) -> None:
    path = write_with_orientation(tmp_path / f"x{suffix}", IMAGE, value)
    found = read_image(path)
    assert found.shape == IMAGE.shape
    assert found[0, :, 0].min() > 100 > found[2:, :, 0].max()
    assert exif_orientation(path) == value


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_are_read(tmp_path: Path, order: str) -> None:
    path = write_with_orientation(tmp_path / "x.jpg", IMAGE, 6, order)
    assert exif_orientation(path) == 6


def test_a_turned_image_is_explained_and_an_upright_one_is_not(tmp_path: Path) -> None:
    turned = write_with_orientation(tmp_path / "turned.jpg", IMAGE, 8)
    upright = write_with_orientation(tmp_path / "upright.jpg", IMAGE, 1)
    assert "EXIF orientation 8, which is not applied" in exif_hint(turned)
    assert exif_hint(upright) == exif_hint(tmp_path / "absent.jpg") == exif_hint(None) == ""


def test_any_part_of_a_file_is_read_without_an_error(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png", ".tif"):
        content = write_with_orientation(tmp_path / f"x{suffix}", IMAGE, 6).read_bytes()
        found = {orientation(content[:end]) for end in range(len(content) + 1)}
        assert found == {1, 6}


def test_a_value_that_is_no_orientation_is_upright(tmp_path: Path) -> None:
    assert exif_orientation(write_with_orientation(tmp_path / "x.jpg", IMAGE, 99)) == 1


def test_a_png_whose_chunk_claims_more_than_there_is_is_refused(tmp_path: Path) -> None:
    path = write_with_orientation(tmp_path / "x.png", IMAGE, 6)
    content = bytearray(path.read_bytes())
    content[33:37] = (1 << 31).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.png: is cut off: a chunk ends at byte"):
        read_image(path)


@pytest.mark.parametrize("kept", [2, 200, 0.5, 0.99])
def test_a_jpeg_that_is_cut_off_is_called_that(kept: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 96, 3), np.uint8)
    content = cv2.imencode(".jpg", noise)[1].tobytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    with pytest.raises(DataError, match="is a JPEG that is cut off or damaged"):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"Guten Tag", "is not an image, or damaged"),
        (b"II*\0 and no more", "is a TIFF that is damaged or of a kind that is not read"),
    ],
)
def test_what_is_no_image_is_called_what_it_is(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.tif: {words}"):
        read_image(path)


def test_a_tiff_of_fractions_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.tif"), np.ones((4, 5, 3), np.float32))
    with pytest.raises(DataError, match="needs whole numbers of 8 or 16 bits"):
        read_image(tmp_path / "a.tif")
