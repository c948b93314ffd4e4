# SPDX-License-Identifier: Apache-2.0
"""Label images come back as they were stored, whichever decoder is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.data import png
from panoptic_ros.data.png import (
    has_palette,
    read_grey_16,
    read_palette_indices,
    read_png,
    read_rgb,
)
from test.drawn.drawn_images import palette_png


@pytest.fixture(params=["kornia_rs", "cv2"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run with the fast decoder and as if it were not installed."""
    if request.param == "kornia_rs":
        pytest.importorskip("kornia_rs")
    else:
        monkeypatch.setattr(png, "_fast_decoder", lambda: None)
    return str(request.param)


def test_the_fast_decoder_is_really_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kornia_rs")
    monkeypatch.setattr(cv2, "imread", lambda *_: None)
    image = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)
    assert read_png(stored(tmp_path / "x.png", image)).tolist() == image[..., ::-1].tolist()


def stored(path: Path, image: Any) -> Path:
    cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        pytest.param((5, 7), np.uint8, id="grey"),
        pytest.param((5, 7), np.uint16, id="16 bit grey"),
        pytest.param((5, 7, 3), np.uint8, id="rgb"),
        pytest.param((5, 7, 4), np.uint8, id="rgba"),
        pytest.param((5, 7, 3), np.uint16, id="16 bit rgb"),
        pytest.param((1, 1, 3), np.uint8, id="one pixel"),
    ],
)
def test_pixels_survive(tmp_path: Path, decoder: str, shape: tuple[int, ...], dtype: type) -> None:
    image = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    in_memory_order = image if image.ndim == 2 else image[..., [2, 1, 0, 3][: shape[2]]]
    found = read_png(stored(tmp_path / "x.png", in_memory_order))
    assert found.dtype == dtype
    assert found.tolist() == image.tolist()


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "the file is empty"),
        (0.1, "is cut off: a chunk ends at byte"),
        (0.5, "is cut off: a chunk ends at byte"),
        (0.99, "is cut off: a chunk ends at byte"),
    ],
)
def test_a_cut_file_is_refused(tmp_path: Path, decoder: str, share: float, words: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    path = stored(tmp_path / "x.png", noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=rf"x\.png: {words}"):
        read_png(path)


def test_a_missing_file_is_refused(tmp_path: Path, decoder: str) -> None:
    with pytest.raises(DataError, match=r"absent\.png: no such file"):
        read_png(tmp_path / "absent.png")


def alpha(image: Any, value: int | NDArray[np.uint8] = 255) -> Any:
    return np.dstack([image, np.full(image.shape[:2], value, image.dtype)])


RGB = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * np.uint8(9)
RGB[0, 0] = 0
GREY = np.array([[7, 1003], [0, 65535]], np.uint16)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(RGB, id="rgb"),
        pytest.param(alpha(RGB), id="opaque"),
        pytest.param(alpha(RGB, np.where(RGB.any(axis=2), 255, 0)), id="transparent void"),
    ],
)
def test_rgb_may_have_alpha_that_hides_no_label(tmp_path: Path, image: Any) -> None:
    assert read_rgb(stored(tmp_path / "x.png", image)).tolist() == RGB[..., ::-1].tolist()


def test_labels_under_transparent_pixels_are_refused(tmp_path: Path) -> None:
    image = alpha(RGB, np.array([[255, 255, 255, 254]] * 2))
    with pytest.raises(DataError, match=r"x\.png: has labels under transparent pixels"):
        read_rgb(stored(tmp_path / "x.png", image))


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(GREY, id="grey"),
        pytest.param(np.dstack([GREY] * 3), id="three equal channels"),
        pytest.param(np.dstack([GREY] * 3 + [np.full_like(GREY, 65535)]), id="opaque"),
    ],
)
def test_equal_channels_are_one(tmp_path: Path, image: Any) -> None:
    assert read_grey_16(stored(tmp_path / "x.png", image), "grey").tolist() == GREY.tolist()


def test_different_channels_are_not_grey(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.png", np.dstack([GREY, GREY, GREY + np.uint16(1)]))
    with pytest.raises(DataError, match=r"x\.png: is uint16 \(2, 2, 3\), needs 16-bit grey"):
        read_grey_16(path, "16-bit grey")


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_a_palette_has_colours_and_indices(tmp_path: Path, depth: int) -> None:
    indices = np.array([[0, 1, 2], [3, 2, 1]], np.uint8)
    colors = np.array([[0, 0, 0], [10, 0, 0], [200, 1, 0], [7, 7, 7]], np.uint8)
    path = tmp_path / "x.png"
    path.write_bytes(palette_png(indices, colors, depth))
    assert has_palette(path)
    assert read_rgb(path).tolist() == colors[indices].tolist()
    assert read_palette_indices(path).tolist() == indices.tolist()


def test_only_a_palette_is_one(tmp_path: Path) -> None:
    assert not has_palette(stored(tmp_path / "x.png", RGB))
    assert not has_palette(tmp_path / "absent.png")
