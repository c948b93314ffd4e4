# SPDX-License-Identifier: Apache-2.0
"""Count the packets of an AVI file, the empty ones by which it stands still included.

FFmpeg leaves the empty ones out, so that a whole file seems to have fewer than its header says.
Source: Microsoft's AVI RIFF file reference.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_LISTS = (b"RIFF", b"LIST")
_KINDS = (b"dc", b"db")
_HEAD_BYTES = 8


def is_avi(path: Path) -> bool:
    """Whether a file is an AVI by its first bytes."""
    with path.open("rb") as stream:
        begin = stream.read(12)
    return begin[:4] == b"RIFF" and begin[8:12] == b"AVI "


def packets_of(path: Path, stream_index: int) -> int:
    """Count the packets of a video stream that the file has up to its end.

    Args:
        path: An AVI file; its end may be missing.
        stream_index: Number of the stream, 0 to 99.
    """
    names = {b"%02d" % stream_index + kind for kind in _KINDS}
    size = path.stat().st_size
    with path.open("rb") as stream:
        return sum(name in names for name in _chunks(stream, size))


def _chunks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the names of the chunks that end within the file, those inside of lists too."""
    at = 0
    while at + _HEAD_BYTES <= size:
        stream.seek(at)
        name, length = struct.unpack("<4sI", stream.read(_HEAD_BYTES))
        if name in _LISTS:
            at += _HEAD_BYTES + 4
            continue
        at += _HEAD_BYTES + length + length % 2
        if at <= size + length % 2:
            yield name
