# SPDX-License-Identifier: Apache-2.0
"""The EXIF orientation of an image file: how a viewer should turn what is stored.

Source: Exif 2.32, section 4.6.4, tag 0x0112; JPEG keeps the TIFF structure in an APP1 segment, PNG
in a chunk ``eXIf``, WebP in a chunk ``EXIF``, and a TIFF file is one.
"""

from __future__ import annotations

import struct

UPRIGHT = 1
"""Orientation of an image that is shown as it is stored; others go up to 8."""

_TAG = 0x0112
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_EXIF = b"Exif\0\0"
_MOST_ENTRIES = 1000


def orientation(content: bytes) -> int:
    """Read the orientation of an image file.

    Args:
        content: The file.

    Returns:
        1 to 8; 1 where the file does not say it, or says something else.
    """
    value = _value_at(content, place) if (place := orientation_place(content)) else UPRIGHT
    return value if UPRIGHT <= value <= 8 else UPRIGHT


def orientation_place(content: bytes) -> tuple[int, str] | None:
    """Find where a file keeps its orientation.

    Returns:
        Offset of the number of 16 bits, and its byte order as ``struct`` writes it; None where the
        file does not say it.
    """
    start = _tiff_start(content)
    if start is None:
        return None
    order = _BYTE_ORDERS.get(content[start : start + 4])
    if order is None:
        return None
    try:
        return _entry(content, start, order)
    except struct.error:
        return None


def _value_at(content: bytes, place: tuple[int, str]) -> int:
    offset, order = place
    value: int = struct.unpack_from(f"{order}H", content, offset)[0]
    return value


def _entry(content: bytes, start: int, order: str) -> tuple[int, str] | None:
    (first,) = struct.unpack_from(f"{order}I", content, start + 4)
    at = start + int(first)
    (count,) = struct.unpack_from(f"{order}H", content, at)
    for number in range(min(int(count), _MOST_ENTRIES)):
        entry = at + 2 + 12 * number
        if struct.unpack_from(f"{order}H", content, entry)[0] == _TAG:
            struct.unpack_from(f"{order}H", content, entry + 8)
            return entry + 8, order
    return None


def _tiff_start(content: bytes) -> int | None:
    """Where the TIFF structure begins."""
    if content[:4] in _BYTE_ORDERS:
        return 0
    if content.startswith(b"\xff\xd8"):
        return _in_jpeg(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _in_chunks(content, 8, b"eXIf", ">", is_png=True)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _in_chunks(content, 12, b"EXIF", "<", is_png=False)
    return None


def _in_jpeg(content: bytes) -> int | None:
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] not in (b"", b"\xda"):
        if content[at + 1] == 0xE1 and content[at + 4 : at + 10] == _EXIF:
            return at + 10
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big") if content[at + 1] != 0xFF else 1
    return None


def _in_chunks(content: bytes, at: int, wanted: bytes, order: str, *, is_png: bool) -> int | None:
    """Look through chunks: of PNG, length, name, data, check sum; of RIFF, name, length, data."""
    while at + 8 <= len(content):
        length_at, name_at = (at, at + 4) if is_png else (at + 4, at)
        size = int(struct.unpack_from(f"{order}I", content, length_at)[0])
        data = at + 8
        if content[name_at : name_at + 4] == wanted:
            return data + len(_EXIF) * content.startswith(_EXIF, data)
        at = data + size + (4 if is_png else size % 2)
    return None
