# SPDX-License-Identifier: Apache-2.0
"""Label images come back as they were stored, whichever decoder is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data import png
from panoptic_ros.data.png import read_png


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


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_file_is_refused(tmp_path: Path, decoder: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    path = stored(tmp_path / "x.png", noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"x\.png: missing or not an image"):
        read_png(path)


def test_a_missing_file_is_refused(tmp_path: Path, decoder: str) -> None:
    with pytest.raises(DataError, match=r"absent\.png: missing or not an image"):
        read_png(tmp_path / "absent.png")
