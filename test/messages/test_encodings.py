# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import array
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.files.limits import MAX_SIDE_PX
from panoptic_ros.core.geometry import shrink
from panoptic_ros.messages.convert import to_frame
from panoptic_ros.messages.encodings import LAYOUTS, SIXTEEN_BIT

Pixels = NDArray[np.uint8]
COLORS = {
    "red": (200, 30, 40),
    "green": (20, 180, 60),
    "blue": (30, 50, 210),
    "grey": (90, 90, 90),
}


def four_fields(height: int = 16, width: int = 24) -> Pixels:
    """Red, green, blue and grey quarters."""
    array = np.empty((height, width, 3), np.uint8)
    rows, columns = height // 2, width // 2
    array[:rows, :columns], array[:rows, columns:] = COLORS["red"], COLORS["green"]
    array[rows:, :columns], array[rows:, columns:] = COLORS["blue"], COLORS["grey"]
    return array


def message(packed: NDArray[Any], encoding: str, height: int, width: int, **other: Any) -> Any:
    content = np.ascontiguousarray(packed).view(np.uint8)
    fields = {
        "header": SimpleNamespace(stamp=SimpleNamespace(sec=3, nanosec=7), frame_id="front"),
        "height": height,
        "width": width,
        "encoding": encoding,
        "is_bigendian": 0,
        "step": content.reshape(content.shape[0], -1).shape[1],
        "data": array.array("B", content.tobytes()),
    }
    return SimpleNamespace(**{**fields, **other})


def bayer(rgb: Pixels, first: str) -> Pixels:
    """Keep of every pixel the colour that the 2x2 pattern ``first`` has there."""
    mosaic = np.empty(rgb.shape[:2], np.uint8)
    for at, color in enumerate(first):
        y, x = divmod(at, 2)
        mosaic[y::2, x::2] = rgb[y::2, x::2, "rgb".index(color)]
    return mosaic


def yuv422(rgb: Pixels, luma: int) -> Pixels:
    """Interleave by hand: ``luma`` is the place of Y in a pair of bytes."""
    ycrcb = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    packed = np.empty((*rgb.shape[:2], 2), np.uint8)
    packed[..., luma] = _limited(ycrcb[..., 0])
    packed[:, 0::2, 1 - luma] = _chroma(ycrcb[:, 0::2, 2])
    packed[:, 1::2, 1 - luma] = _chroma(ycrcb[:, 0::2, 1])
    return packed


def planar(rgb: Pixels, blue_first: bool) -> Pixels:
    ycrcb = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    height, width = rgb.shape[:2]
    chroma = np.empty((height // 2, width), np.uint8)
    chroma[:, 0 if blue_first else 1 :: 2] = _chroma(ycrcb[0::2, 0::2, 2])
    chroma[:, 1 if blue_first else 0 :: 2] = _chroma(ycrcb[0::2, 0::2, 1])
    return np.concatenate((_limited(ycrcb[..., 0]), chroma))


def three_planes(rgb: Pixels, blue_first: bool) -> Pixels:
    """Luma, then two planes of chroma in rows of half the width."""
    height, width = rgb.shape[:2]
    chroma = planar(rgb, blue_first)[height:].reshape(height // 2, width // 2, 2)
    return np.concatenate(
        (planar(rgb, blue_first)[:height].ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel())
    ).reshape(-1, width)


def _limited(luma: Pixels) -> Pixels:
    """BT.601 video range: 16..235."""
    return np.rint(luma * (219 / 255) + 16).astype(np.uint8)


def _chroma(values: Pixels) -> Pixels:
    # OpenCV's Cr and Cb reach full range: 0.713 and 0.564 of the difference, video range 224/255.
    return np.rint((values.astype(np.float64) - 128) * (224 / 255) + 128).astype(np.uint8)


def sixteen(values: Pixels, order: str) -> NDArray[Any]:
    return (values.astype(np.uint16) << 8 | 0x5A).astype(order)


def gray(rgb: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def with_alpha(rgb: Pixels) -> Pixels:
    return np.dstack((rgb, np.full(rgb.shape[:2], 9, np.uint8)))


def reverse(rgb: Pixels) -> Pixels:
    return np.ascontiguousarray(rgb[..., ::-1])


def in_gray(rgb: Pixels) -> Pixels:
    return np.repeat(gray(rgb)[..., None], 3, axis=2)


PACKED: dict[str, Callable[[Pixels], NDArray[Any]]] = {
    "rgb8": lambda rgb: rgb,
    "bgr8": reverse,
    "8UC3": reverse,
    "rgba8": with_alpha,
    "bgra8": lambda rgb: with_alpha(reverse(rgb)),
    "8UC4": lambda rgb: with_alpha(reverse(rgb)),
    "mono8": gray,
    "8UC1": gray,
    "yuv422": lambda rgb: yuv422(rgb, 1),
    "uyvy": lambda rgb: yuv422(rgb, 1),
    "yuv422_yuy2": lambda rgb: yuv422(rgb, 0),
    "yuyv": lambda rgb: yuv422(rgb, 0),
    "nv12": lambda rgb: planar(rgb, True),
    "nv21": lambda rgb: planar(rgb, False),
    "i420": lambda rgb: three_planes(rgb, True),
    "yv12": lambda rgb: three_planes(rgb, False),
    "bayer_rggb8": lambda rgb: bayer(rgb, "rggb"),
    "bayer_bggr8": lambda rgb: bayer(rgb, "bggr"),
    "bayer_gbrg8": lambda rgb: bayer(rgb, "gbrg"),
    "bayer_grbg8": lambda rgb: bayer(rgb, "grbg"),
    "mono16": lambda rgb: sixteen(gray(rgb), "<u2"),
    "rgb16": lambda rgb: sixteen(rgb, "<u2"),
    "bgr16": lambda rgb: sixteen(reverse(rgb), "<u2"),
    "bayer_rggb16": lambda rgb: sixteen(bayer(rgb, "rggb"), "<u2"),
    "bayer_bggr16": lambda rgb: sixteen(bayer(rgb, "bggr"), "<u2"),
    "bayer_gbrg16": lambda rgb: sixteen(bayer(rgb, "gbrg"), "<u2"),
    "bayer_grbg16": lambda rgb: sixteen(bayer(rgb, "grbg"), "<u2"),
}
BLOCKS = {
    name
    for name in PACKED
    if (layout := LAYOUTS[SIXTEEN_BIT.get(name, (0, name))[1]]).block != (1, 1) or layout.least > 1
}
GRAY = {"mono8", "8UC1", "mono16"}
TOLERANCE = {
    "yuv422": 4,
    "uyvy": 4,
    "yuv422_yuy2": 4,
    "yuyv": 4,
    "nv12": 4,
    "nv21": 4,
    "i420": 4,
    "yv12": 4,
}


def test_the_table_covers_every_encoding() -> None:
    assert set(PACKED) == {*LAYOUTS, *SIXTEEN_BIT}


@pytest.mark.parametrize("encoding", PACKED)
def test_every_encoding_gives_its_colors_back(encoding: str) -> None:
    rgb = four_fields()
    frame = to_frame(message(PACKED[encoding](rgb), encoding, 16, 24))
    expected = in_gray(rgb) if encoding in GRAY else rgb
    assert frame.image.shape == (16, 24, 3)
    for y, x in ((4, 5), (4, 17), (12, 5), (12, 17)):
        difference = np.abs(frame.image[y, x].astype(int) - expected[y, x])
        assert difference.max() <= TOLERANCE.get(encoding, 0), (y, x, frame.image[y, x])
    assert (frame.stamp_ns, frame.frame_id) == (3_000_000_007, "front")


@pytest.mark.parametrize("encoding", [name for name in PACKED if name not in ("i420", "yv12")])
def test_padding_at_the_end_of_rows_is_left_out(encoding: str) -> None:
    packed = PACKED[encoding](four_fields())
    rows = np.ascontiguousarray(packed).view(np.uint8).reshape(packed.shape[0], -1)
    padded = np.pad(rows, ((0, 0), (0, 10)), constant_values=77)
    plain = to_frame(message(packed, encoding, 16, 24)).image
    assert np.array_equal(to_frame(message(padded, encoding, 16, 24)).image, plain)


def test_padding_of_the_last_row_may_be_missing() -> None:
    padded = np.pad(four_fields().reshape(16, -1), ((0, 0), (0, 10)))
    image = to_frame(message(padded, "rgb8", 16, 24, data=padded.tobytes()[:-10])).image
    assert np.array_equal(image, four_fields())


def test_big_endian_is_read_from_the_other_byte() -> None:
    packed = sixteen(four_fields(), ">u2")
    assert np.array_equal(
        to_frame(message(packed, "rgb16", 16, 24, is_bigendian=1)).image, four_fields()
    )


@pytest.mark.parametrize("kind", [bytes, lambda a: a, np.asarray], ids=["bytes", "array", "numpy"])
def test_any_kind_of_payload_is_read(kind: Callable[[Any], Any]) -> None:
    array = message(four_fields(), "rgb8", 16, 24)
    array.data = kind(array.data)
    assert np.array_equal(to_frame(array).image, four_fields())


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_plain_images_are_views_that_the_network_can_take(encoding: str) -> None:
    array = message(PACKED[encoding](four_fields()), encoding, 16, 24)
    image = to_frame(array).image
    assert np.shares_memory(image, np.frombuffer(array.data, np.uint8))
    small = shrink(image, np.empty((8, 12, 3), np.uint8))
    assert tuple(small[1, 1]) == COLORS["red"]


@pytest.mark.parametrize("encoding", [name for name in PACKED if name not in BLOCKS])
def test_an_image_of_one_pixel_is_an_image(encoding: str) -> None:
    packed = PACKED[encoding](np.full((1, 1, 3), 50, np.uint8))
    assert to_frame(message(packed, encoding, 1, 1)).image.tolist() == [[[50, 50, 50]]]


ODD = np.zeros((3, 3), np.uint8)
BAD: dict[str, tuple[Any, str]] = {
    "unknown encoding": (message(ODD, "32FC1", 3, 3), "encoding '32FC1' cannot be read"),
    "step too small": (message(ODD, "rgb8", 3, 3, step=8), "step of 8 bytes, needs at least 9"),
    "step zero": (message(ODD, "mono8", 3, 3, step=0), "step of 0 bytes"),
    "data too short": (message(ODD, "mono8", 3, 3, data=b"12345678"), "has 8 bytes, needs 9"),
    "no data": (message(ODD, "mono8", 3, 3, data=b""), "has 0 bytes"),
    "no height": (message(ODD, "mono8", 0, 3), "image is 3x0"),
    "no width": (message(ODD, "mono8", 3, 0), "image is 0x3"),
    "huge": (message(ODD, "mono8", 3, MAX_SIDE_PX + 1), f"1 to {MAX_SIDE_PX} pixels"),
    "odd yuyv": (message(np.zeros((3, 6), np.uint8), "yuyv", 3, 3), "width divisible by 2"),
    "odd nv12": (message(np.zeros((3, 4), np.uint8), "nv12", 3, 4), "height by 2"),
    "tiny bayer": (message(np.zeros((1, 1), np.uint8), "bayer_rggb8", 1, 1), "at least 4x4"),
    "half nv12": (message(np.zeros((4, 4), np.uint8), "nv12", 4, 4), "needs 24"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_image_is_refused_with_the_reason(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    array, words = BAD[case]
    with pytest.raises(FrameError, match=words):
        to_frame(array)


def test_an_encoding_unknown_to_us_goes_through_cv_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    class CvBridge:
        def imgmsg_to_cv2(self, message: Any, encoding: str) -> Pixels:
            assert encoding == "rgb8"
            return four_fields()

    class CvBridgeError(Exception):
        pass

    module = SimpleNamespace(CvBridge=CvBridge, CvBridgeError=CvBridgeError)
    monkeypatch.setitem(sys.modules, "cv_bridge", module)
    assert np.array_equal(to_frame(message(ODD, "nv24", 3, 3)).image, four_fields())
