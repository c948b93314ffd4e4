# SPDX-License-Identifier: Apache-2.0
"""Pixels as ``sensor_msgs/Image`` encodes them, to RGB; needs neither ROS nor cv_bridge.

Source of the names: sensor_msgs/include/sensor_msgs/image_encodings.hpp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.messages.planar_yuv import PlanarImage, without_padding

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Layout:
    """How an encoding lies in memory.

    Attributes:
        channels: Bytes per pixel and row.
        convert: (rows, width, channels) uint8, rows possibly padded, to RGB (H, W, 3).
        chroma_planes: 0 where pixels lie together; of 4:2:0 images 1 where the chroma's values
            take turns, 2 where they have a plane each.
        block: (height, width) must be multiples of these.
        least: Least height and width that ``convert`` can work on.
    """

    channels: int
    convert: Callable[[Pixels], Pixels]
    chroma_planes: int = 0
    block: tuple[int, int] = (1, 1)
    least: int = 1


@dataclass(frozen=True, eq=False)
class Packed:
    """An Image message without its header.

    Attributes:
        data: All bytes, (n,) uint8.
        height: Rows of the image.
        width: Pixels per row.
        step: Bytes per row of memory.
        encoding: As the message says it.
        is_bigendian: Order of the bytes of 16 bit encodings.
    """

    data: Pixels
    height: int
    width: int
    step: int
    encoding: str
    is_bigendian: bool = False


def to_rgb(packed: Packed) -> Pixels:
    """Unpack the pixels.

    Args:
        packed: What the camera sent.

    Returns:
        RGB, (H, W, 3) uint8. For rgb8 and bgr8 a view of the message's memory, for bgr8 with a
        negative channel stride; otherwise a copy.

    Raises:
        FrameError: The size, the step, the number of bytes or the encoding cannot be used.
    """
    check_size(packed.height, packed.width)
    layout = LAYOUTS.get(packed.encoding)
    if layout is not None:
        return layout.convert(_rows(packed, layout))
    if packed.encoding in SIXTEEN_BIT:
        return _from_sixteen_bit(packed)
    raise unreadable(packed.encoding)


def unreadable(encoding: str) -> FrameError:
    """Say that an encoding cannot be read, as the error to raise."""
    return FrameError(
        f"encoding {encoding!r} cannot be read; needs one of "
        f"{', '.join([*LAYOUTS, *SIXTEEN_BIT])}: set it in the camera driver, or install "
        "cv_bridge (ros-<distro>-cv-bridge) for what it can convert"
    )


def is_known(encoding: str) -> bool:
    """Whether ``to_rgb`` reads it."""
    return encoding in LAYOUTS or encoding in SIXTEEN_BIT


def check_size(height: int, width: int) -> None:
    """Refuse images without pixels or of absurd size.

    Raises:
        FrameError: A side is 0, or a side or the whole is larger than ``core.files.limits`` says.
    """
    if not is_image_size(height, width):
        raise FrameError(f"image is {width}x{height}, needs {image_limits()}")


def _rows(packed: Packed, layout: Layout) -> Pixels:
    """View the memory as (rows, width, channels), padding left out."""
    _check_shape(packed, layout)
    height, width, step = packed.height, packed.width, packed.step
    if layout.chroma_planes:
        planes = PlanarImage(
            packed.data, height, width, step, packed.encoding, layout.chroma_planes
        )
        return without_padding(planes)[..., None]
    # The padding of the last row may be missing: some drivers do not send it.
    least_bytes = (height - 1) * step + width * layout.channels
    if packed.data.size < least_bytes:
        raise FrameError(
            f"{packed.encoding} image of {width}x{height}, step {step}, has "
            f"{packed.data.size} bytes, needs {least_bytes}"
        )
    shape = (height, width, layout.channels)
    view: Pixels = np.ndarray(shape, np.uint8, packed.data, strides=(step, layout.channels, 1))
    return view


def _check_shape(packed: Packed, layout: Layout) -> None:
    """Refuse sizes that the encoding cannot have, and rows shorter than their pixels."""
    height, width, step = packed.height, packed.width, packed.step
    tall, wide = layout.block
    if height % tall or width % wide or min(height, width) < layout.least:
        least = max(layout.least, tall, wide)
        raise FrameError(
            f"{packed.encoding} image is {width}x{height}; "
            f"needs a width divisible by {wide}, a height by {tall}, at least {least}x{least}"
        )
    needed = width * layout.channels
    if step < needed:
        raise FrameError(
            f"{packed.encoding} image is {width} wide with a step of {step} bytes, "
            f"needs at least {needed}"
        )


def _from_sixteen_bit(packed: Packed) -> Pixels:
    """Keep the upper byte of each value."""
    channels, encoding = SIXTEEN_BIT[packed.encoding]
    least = LAYOUTS[encoding].least
    pairs = _rows(packed, Layout(2 * channels, _as_it_is, least=least))
    upper = np.ascontiguousarray(pairs[..., 0 if packed.is_bigendian else 1 :: 2])
    return LAYOUTS[encoding].convert(upper)


def _as_it_is(rows: Pixels) -> Pixels:
    return rows


def _reversed(rows: Pixels) -> Pixels:
    return rows[..., ::-1]


def _by_code(code: int) -> Callable[[Pixels], Pixels]:
    def convert(rows: Pixels) -> Pixels:
        return np.asarray(cv2.cvtColor(rows, code), np.uint8)

    return convert


def _by_plane_code(code: int) -> Callable[[Pixels], Pixels]:
    def convert(rows: Pixels) -> Pixels:
        return np.asarray(cv2.cvtColor(rows[..., 0], code), np.uint8)

    return convert


_UYVY = Layout(2, _by_code(cv2.COLOR_YUV2RGB_UYVY), block=(1, 2))
_YUYV = Layout(2, _by_code(cv2.COLOR_YUV2RGB_YUYV), block=(1, 2))

# OpenCV names a Bayer pattern by its second row and column, ROS by its first: RGGB is "BG".
# 8UC3 and 8UC1 come from OpenCV programs, whose images are BGR.
LAYOUTS: dict[str, Layout] = {
    "rgb8": Layout(3, _as_it_is),
    "bgr8": Layout(3, _reversed),
    "8UC3": Layout(3, _reversed),
    "rgba8": Layout(4, _by_code(cv2.COLOR_RGBA2RGB)),
    "bgra8": Layout(4, _by_code(cv2.COLOR_BGRA2RGB)),
    "8UC4": Layout(4, _by_code(cv2.COLOR_BGRA2RGB)),
    "mono8": Layout(1, _by_code(cv2.COLOR_GRAY2RGB)),
    "8UC1": Layout(1, _by_code(cv2.COLOR_GRAY2RGB)),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
    "nv12": Layout(1, _by_plane_code(cv2.COLOR_YUV2RGB_NV12), chroma_planes=1, block=(2, 2)),
    "nv21": Layout(1, _by_plane_code(cv2.COLOR_YUV2RGB_NV21), chroma_planes=1, block=(2, 2)),
    "i420": Layout(1, _by_plane_code(cv2.COLOR_YUV2RGB_I420), chroma_planes=2, block=(2, 2)),
    "yv12": Layout(1, _by_plane_code(cv2.COLOR_YUV2RGB_YV12), chroma_planes=2, block=(2, 2)),
    "bayer_rggb8": Layout(1, _by_plane_code(cv2.COLOR_BayerBG2RGB), least=4),
    "bayer_bggr8": Layout(1, _by_plane_code(cv2.COLOR_BayerRG2RGB), least=4),
    "bayer_gbrg8": Layout(1, _by_plane_code(cv2.COLOR_BayerGR2RGB), least=4),
    "bayer_grbg8": Layout(1, _by_plane_code(cv2.COLOR_BayerGB2RGB), least=4),
}
"""Encodings of 8 bits per value, by name."""

SIXTEEN_BIT: dict[str, tuple[int, str]] = {
    "mono16": (1, "mono8"),
    "rgb16": (3, "rgb8"),
    "bgr16": (3, "bgr8"),
    "bayer_rggb16": (1, "bayer_rggb8"),
    "bayer_bggr16": (1, "bayer_bggr8"),
    "bayer_gbrg16": (1, "bayer_gbrg8"),
    "bayer_grbg16": (1, "bayer_grbg8"),
}
"""Encodings of 16 bits per value: channels, and the encoding of their upper bytes."""
