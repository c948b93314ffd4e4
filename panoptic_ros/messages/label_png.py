# SPDX-License-Identifier: Apache-2.0
"""Label and id images as lossless PNG, several times faster than a general encoder makes it.

The format is PNG (ISO/IEC 15948) with filter type "up" on every row: enlarged maps repeat rows,
so nearly everything becomes zero, which DEFLATE's run-length strategy packs at once.
"""

from __future__ import annotations

import struct
import sys
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import Header

_START = b"\x89PNG\r\n\x1a\n"
_LEVEL = 1
_FILTER_UP = 2
_GREY, _COLOR = 0, 2


def png_image(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    encoding: str,
    types: MessageTypes,
    header: Header,
) -> Any:
    """Build a CompressedImage as image_transport's ``compressed`` writes PNG.

    Args:
        pixels: (H, W), or RGB, (H, W, 3).
        encoding: ``mono8``, ``16UC1`` or ``rgb8``; whoever decompresses gets an Image of it.
        types: Message classes.
        header: Put into the message as it is.
    """
    # image_transport names a target behind "compressed" for colour images only.
    target = "bgr8" if pixels.ndim == 3 else ""
    return types.make(
        "sensor_msgs/msg/CompressedImage",
        header=header,
        format=f"{encoding}; png compressed {target}",
        data=types.payload(np.frombuffer(encode_png(pixels), np.uint8)),
    )


def encode_png(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Write a grey image of 8 or 16 bits, or a colour image of 8 bits, as PNG.

    Args:
        pixels: (H, W) uint8 or uint16, or RGB, (H, W, 3) uint8; not empty.

    Returns:
        The file; decoding gives the same values, bit for bit.
    """
    height, width = pixels.shape[:2]
    color = _GREY if pixels.ndim == 2 else _COLOR
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, color, 0, 0, 0)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    content = packer.compress(_filtered(pixels).data) + packer.flush()
    chunks = ((b"IHDR", head), (b"IDAT", content), (b"IEND", b""))
    return _START + b"".join(_chunk(kind, data) for kind, data in chunks)


def _filtered(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Each row's bytes less those of the row above, behind the filter's number."""
    height = pixels.shape[0]
    is_swapped = pixels.itemsize > 1 and sys.byteorder == "little"
    stored = np.ascontiguousarray(pixels.byteswap() if is_swapped else pixels)
    raw = stored.view(np.uint8).reshape(height, -1)
    rows = np.empty((height, raw.shape[1] + 1), np.uint8)
    rows[:, 0] = _FILTER_UP
    rows[0, 1:] = raw[0]
    np.subtract(raw[1:], raw[:-1], out=rows[1:, 1:])
    return rows


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
