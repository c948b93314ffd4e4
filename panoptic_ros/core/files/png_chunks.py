# SPDX-License-Identifier: Apache-2.0
"""Check a PNG file before it is decoded: OpenCV takes memory for what a chunk claims to hold.

Source: https://www.w3.org/TR/png-3/#5DataRep. A file is its signature and chunks; a chunk is the
length of its data, a name of four letters, the data and a check sum.
"""

from __future__ import annotations

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 33
"""Signature and the first chunk, which tells size and kind of the image."""

_AROUND_DATA = 12


class DamagedPngError(ValueError):
    """What is wrong; the reader adds the name."""


def png_size(content: bytes) -> tuple[int, int]:
    """Read height and width, and make sure that no chunk claims more bytes than there are.

    Args:
        content: The file, from ``SIGNATURE`` on.

    Raises:
        DamagedPngError: It has no header, or ends within a chunk.
    """
    if content[12:16] != b"IHDR" or len(content) < HEADER_BYTES:
        raise DamagedPngError("has no PNG header")
    at = len(SIGNATURE)
    while at < len(content) and (name := content[at + 4 : at + 8]) != b"IEND":
        if not name.isalpha():
            raise DamagedPngError(f"has no chunk at byte {at}, but {name.hex()}")
        end = at + _AROUND_DATA + int.from_bytes(content[at : at + 4], "big")
        if end > len(content):
            raise DamagedPngError(
                f"is cut off: a chunk ends at byte {end}, the file at {len(content)}"
            )
        at = end
    return int.from_bytes(content[20:24], "big"), int.from_bytes(content[16:20], "big")
