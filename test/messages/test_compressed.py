# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.messages.compressed import compress
from panoptic_ros.messages.convert import to_frame
from test.messages.test_encodings import PACKED, bayer, four_fields, planar
from test.messages.test_encodings import message as raw


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
    "jpeg without a scan": (jpeg()[:170], "has no scan"),
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
    with pytest.raises(FrameError, match="holds depth"):
        to_frame(message(b"twelve bytes" + jpeg(), "32FC1; compressedDepth"))


@pytest.mark.parametrize("form", ["16UC1; png compressed ", "32FC1; jpeg compressed ", "16UC1"])
def test_depth_is_refused_with_the_words_of_the_raw_image(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    encoding = form.partition(";")[0]
    with pytest.raises(FrameError) as of_raw:
        to_frame(raw(np.zeros((4, 16), np.uint8), encoding, 4, 4))
    depth = packed(np.full((32, 48), 3000, np.uint16), ".png")
    with pytest.raises(FrameError) as of_packed:
        to_frame(message(depth, form))
    assert str(of_packed.value) == str(of_raw.value)


def packed(pixels: NDArray[Any], end: str, *options: int) -> bytes:
    return cv2.imencode(end, pixels, list(options))[1].tobytes()


MOSAICS = [name for name in PACKED if name.startswith("bayer")]


@pytest.mark.parametrize("encoding", MOSAICS)
@pytest.mark.parametrize("end", [".png", ".jpg"])
def test_a_mosaic_in_a_grey_file_is_debayered_as_the_raw_one(encoding: str, end: str) -> None:
    mosaic = PACKED[encoding](four_fields(32, 48))
    expected = to_frame(raw(mosaic, encoding, 32, 48)).image
    if end == ".jpg":
        # JPEG knows 8 bits; quality 100 leaves the mosaic almost as it is.
        mosaic = (mosaic >> 8).astype(np.uint8) if mosaic.dtype == np.uint16 else mosaic
    content = packed(mosaic, end, *([cv2.IMWRITE_JPEG_QUALITY, 100] if end == ".jpg" else []))
    image = to_frame(message(content, f"{encoding}; {end[1:]} compressed ")).image
    assert np.abs(image.astype(int) - expected).max() <= (0 if end == ".png" else 12)


def test_a_mosaic_packed_as_three_equal_channels_is_still_a_mosaic() -> None:
    mosaic = bayer(four_fields(32, 48), "rggb")
    expected = to_frame(raw(mosaic, "bayer_rggb8", 32, 48)).image
    content = packed(np.repeat(mosaic[..., None], 3, axis=2), ".png")
    image = to_frame(message(content, "bayer_rggb8; png compressed bgr8")).image
    assert np.array_equal(image, expected)


def test_a_mosaic_that_was_converted_before_is_taken_as_it_is() -> None:
    image = to_frame(message(png(), "bayer_rggb8; png compressed bgr8")).image
    assert np.array_equal(image, four_fields(32, 48))


def test_planes_in_a_grey_file_become_colors() -> None:
    planes = planar(four_fields(32, 48), True)
    expected = to_frame(raw(planes, "nv12", 32, 48)).image
    assert np.array_equal(
        to_frame(message(packed(planes, ".png"), "nv12; png compressed ")).image, expected
    )


@pytest.mark.parametrize("form", ["mono8; png compressed ", "png", "rgb8; png compressed bgr8"])
def test_a_grey_file_that_is_no_mosaic_stays_grey(form: str) -> None:
    grey = four_fields(32, 48)[..., 0]
    image = to_frame(message(packed(grey, ".png"), form)).image
    assert np.array_equal(image, np.repeat(grey[..., None], 3, axis=2))


def street(*options: int, grey: bool = False) -> bytes:
    """A JPEG with enough detail that every unit has bytes of its own."""
    pixels = np.random.default_rng(3).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    return packed(pixels[..., 0] if grey else pixels, ".jpg", *options)


RESTARTS = (cv2.IMWRITE_JPEG_RST_INTERVAL, 8)
PROGRESSIVE = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
KINDS = {
    "colour": street(),
    "grey": street(grey=True),
    "restart markers": street(*RESTARTS),
    "progressive": street(*PROGRESSIVE),
    "no subsampling": street(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.4, 0.7, 0.9, 0.97])
def test_a_jpeg_cut_before_its_end_marker_is_damaged(kind: str, share: float) -> None:
    content = KINDS[kind]
    cut = content[: round(len(content) * share)].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(FrameError, match=r"is cut off, though it has|restart segments|is damaged"):
        to_frame(message(cut))


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_jpeg_is_taken_whatever_stands_behind_its_end(kind: str) -> None:
    image = to_frame(message(KINDS[kind])).image
    assert np.array_equal(to_frame(message(KINDS[kind] + KINDS["grey"])).image, image)


def test_a_lost_restart_segment_is_damage() -> None:
    content = KINDS["restart markers"]
    first, second = content.find(b"\xff\xd1"), content.find(b"\xff\xd2")
    with pytest.raises(FrameError, match="128x96 is damaged, it lacks 1 restart segments"):
        to_frame(message(content[:first] + content[second:]))


@pytest.mark.parametrize("grey", [False, True])
def test_an_image_that_ends_in_medium_grey_is_whole(grey: bool) -> None:
    """The very value that decoders put where nothing came."""
    pixels = np.full((33, 49) if grey else (33, 49, 3), 128, np.uint8)
    assert to_frame(message(packed(pixels, ".jpg"))).image[-1, -1].tolist() == [128] * 3
