# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an MP4 that FFmpeg does not open, read off its boxes (ISO/IEC 14496-12).

FFmpeg says "Invalid data found" of a recording that was cut off, of one that its recorder never
finished, and of one whose bytes were damaged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADER = 8
_LARGE_HEADER = 16
_INDEX = b"moov"
_FRAGMENT = b"moof"
_DAMAGED = b""


@dataclass(frozen=True)
class Box:
    """A box at the top of a file.

    Attributes:
        kind: Its four letters; empty where they are not letters or its length is too small.
        start: Its first byte.
        end: The byte after its last, as it says; beyond the file where that was cut off.
    """

    kind: bytes
    start: int
    end: int


def is_mp4(begin: bytes) -> bool:
    """Whether the first 12 bytes of a file are those of an MP4."""
    return begin[4:8] == b"ftyp"


def fault_of(path: Path) -> str:
    """Say why an MP4 cannot be opened, as far as its boxes tell; else that it is damaged.

    Args:
        path: A file that begins as an MP4.

    Raises:
        OSError: It cannot be read.
    """
    size = os.path.getsize(path)
    boxes = list(_boxes(path, size))
    index = next((box for box in boxes if box.kind == _INDEX), None)
    last = boxes[-1]
    if index is not None and index.end > size:
        return f"an MP4 that ends inside its index: {index.end - size} bytes are missing"
    if index is not None:
        return "an MP4 whose index or images are damaged"
    if last.end > size:
        return "an MP4 without its index, which is written last: the recording was cut off"
    if last.kind == _DAMAGED:
        return f"an MP4 that is damaged from byte {last.start} on, without its index"
    if any(box.kind == _FRAGMENT for box in boxes):
        return "part of an MP4 in fragments, whose index is in another file"
    return "an MP4 without its index: its recorder was stopped before it wrote one"


def _boxes(path: Path, size: int) -> Iterator[Box]:
    """Yield the boxes at the top of a file, up to damage."""
    start = 0
    with path.open("rb") as stream:
        while start + _HEADER <= size:
            stream.seek(start)
            header = stream.read(_LARGE_HEADER)
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[_HEADER:], "big")
            elif length == 0:
                length = size - start  # up to the end of the file
            kind = header[4:8]
            if length < _HEADER or not (kind.isascii() and kind.isalnum()):
                yield Box(_DAMAGED, start, size)
                return
            yield Box(kind, start, start + length)
            start += length
