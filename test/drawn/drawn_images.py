# SPDX-License-Identifier: Apache-2.0
"""Image files as cameras and label tools write them: EXIF orientations and palettes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def palette_png(indices: NDArray[np.uint8], colors: NDArray[np.uint8], depth: int = 8) -> bytes:
    """Write a PNG with a palette of RGB colours."""
    height, width = indices.shape
    rows = b""
    for row in indices.tolist():
        bits = "".join(f"{value:0{depth}b}" for value in row)
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, 0))
        + _chunk(b"PLTE", colors.astype(np.uint8).tobytes())
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _tiff(orientation: int, order: str = "<") -> bytes:
    """The TIFF structure of EXIF with one entry."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return start + struct.pack(f"{order}IH", 8, 1) + entry + b"\0\0\0\0"


def write_with_orientation(
    path: Path, rgb: NDArray[np.uint8], orientation: int, order: str = "<"
) -> Path:
    """Write an image that says how a viewer should turn it; the path's suffix chooses the kind."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 100] if path.suffix == ".jpg" else []
    content = cv2.imencode(path.suffix, np.ascontiguousarray(rgb[..., ::-1]), quality)[1].tobytes()
    tiff = _tiff(orientation, order)
    if path.suffix == ".jpg":
        segment = b"Exif\0\0" + tiff
        size = (len(segment) + 2).to_bytes(2, "big")
        content = content[:2] + b"\xff\xe1" + size + segment + content[2:]
    elif path.suffix == ".png":
        content = content[:33] + _chunk(b"eXIf", tiff) + content[33:]
    else:
        content = _with_tiff_entry(content, orientation)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _with_tiff_entry(content: bytes, orientation: int) -> bytes:
    """Append a directory with one entry more, as OpenCV writes none."""
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    entries = [content[at + 2 + 12 * number :][:12] for number in range(count)]
    entries.append(struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    return content[:4] + struct.pack("<I", len(content)) + content[8:] + directory
