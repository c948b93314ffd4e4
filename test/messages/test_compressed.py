# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import FrameError
from panoptic_ros.messages.compressed import compress
from panoptic_ros.messages.convert import to_frame
from test.messages.test_encodings import four_fields


def message(content: bytes, form: str = "rgb8; jpeg compressed bgr8") -> Any:
    header = SimpleNamespace(stamp=SimpleNamespace(sec=0, nanosec=5), frame_id="front")
    return SimpleNamespace(header=header, format=form, data=content)


def jpeg() -> bytes:
    return compress(four_fields(32, 48), 95).tobytes()


def png() -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(four_fields(32, 48)[..., ::-1]))[1].tobytes()


def test_jpeg_gives_its_colors_back() -> None:
    frame = to_frame(message(jpeg()))
    assert frame.image.shape == (32, 48, 3)
    for y, x in ((8, 10), (8, 38), (24, 10), (24, 38)):
        assert np.abs(frame.image[y, x].astype(int) - four_fields(32, 48)[y, x]).max() <= 6


def test_png_is_exact() -> None:
    assert np.array_equal(to_frame(message(png(), "png")).image, four_fields(32, 48))


def test_zeros_behind_a_jpeg_are_nothing_to_worry_about() -> None:
    assert to_frame(message(jpeg() + bytes(999))).image.shape == (32, 48, 3)


def huge_png() -> bytes:
    content = bytearray(png())
    content[16:20] = (100_000).to_bytes(4, "big")
    return bytes(content)


BAD = {
    "nothing": (b"", "starts with nothing"),
    "text": (b"not an image", "needs a JPEG or PNG"),
    "cut jpeg": (jpeg()[:-20], "cut off"),
    "jpeg head only": (jpeg()[:20], "no frame header"),
    "cut png": (png()[:20], "needs a JPEG or PNG"),
    "png of noise": (png()[:40] + bytes(60), "damaged"),
    "huge png": (huge_png(), "image is 100000x32"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_the_reason(case: str) -> None:
    content, words = BAD[case]
    with pytest.raises(FrameError, match=words):
        to_frame(message(content))


def test_depth_is_no_image() -> None:
    with pytest.raises(FrameError, match="holds depth"):
        to_frame(message(jpeg(), "16UC1; compressedDepth png"))
