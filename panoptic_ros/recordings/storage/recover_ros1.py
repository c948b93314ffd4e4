# SPDX-License-Identifier: Apache-2.0
"""Walk through a ROS 1 bag from front to back; see http://wiki.ros.org/Bags/Format/2.0."""

from __future__ import annotations

import struct
from bz2 import BZ2Decompressor
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from panoptic_ros.core.files.limits import MAX_CHUNK_BYTES
from panoptic_ros.recordings.storage.record import Record

MAGIC = b"#ROSBAG V2.0\n"
MESSAGE, CHUNK, INDEX, CONNECTION = 0x02, 0x05, 0x04, 0x07
_MOST_AT_ONCE = 1 << 24


def scan_ros1(file: Path, note: Callable[[str], None]) -> Iterator[Record]:
    """Yield the messages up to the point where the file ends or makes no sense any more.

    Args:
        file: The file; the index at its end may be missing.
        note: Called with each damage that is met.
    """
    with file.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            note("is not a ROS 1 bag of version 2.0")
            return
        yield from _Walk(note).messages(stream)


@dataclass
class _Walk:
    """What must be remembered between records."""

    note: Callable[[str], None]
    connections: dict[int, tuple[str, str]] = field(default_factory=dict)

    def messages(self, stream: BinaryIO) -> Iterator[Record]:
        for fields, body, is_whole in _records(stream):
            (kind,) = struct.unpack("<B", fields[b"op"])
            if kind == CHUNK:
                yield from self._chunk(fields, body)
            elif not is_whole:
                return
            elif kind == CONNECTION:
                self._remember(fields, body)
            elif kind == MESSAGE:
                yield self._message(fields, body)

    def _remember(self, fields: dict[bytes, bytes], body: bytes) -> None:
        package, _, name = _fields(body)[b"type"].decode().partition("/")
        topic = "/" + fields[b"topic"].decode().strip("/")
        self.connections[_number(fields[b"conn"])] = (topic, f"{package}/msg/{name}")

    def _message(self, fields: dict[bytes, bytes], body: bytes) -> Record:
        topic, kind = self.connections[_number(fields[b"conn"])]
        seconds, nanoseconds = struct.unpack("<II", fields[b"time"])
        return Record(topic, kind, seconds * 10**9 + nanoseconds, body, "ros1")

    def _chunk(self, fields: dict[bytes, bytes], body: bytes) -> Iterator[Record]:
        try:
            content = _unpacked(body, fields[b"compression"])
        except Exception as error:  # bz2 and lz4 have error trees of their own
            self.note(f"a chunk cannot be unpacked ({error}); its messages are lost")
            return
        yield from self.messages(BytesIO(content))


def _records(stream: BinaryIO) -> Iterator[tuple[dict[bytes, bytes], bytes, bool]]:
    """Yield header fields, body, and whether the body is whole."""
    while (head := _sized(stream)) is not None and head[1]:
        body = _sized(stream)
        if body is None:
            return
        yield _fields(head[0]), *body


def _sized(stream: BinaryIO) -> tuple[bytes, bool] | None:
    prefix = stream.read(4)
    if len(prefix) < 4:
        return None
    size = _number(prefix)
    # A damaged size may be gigabytes, and ``read`` would allocate them.
    blocks = []
    while size and (block := stream.read(min(size, _MOST_AT_ONCE))):
        blocks.append(block)
        size -= len(block)
    return (blocks[0] if len(blocks) == 1 else b"".join(blocks)), size == 0


def _fields(header: bytes) -> dict[bytes, bytes]:
    found = {}
    position = 0
    while position + 4 <= len(header):
        size = _number(header[position : position + 4])
        name, _, value = header[position + 4 : position + 4 + size].partition(b"=")
        found[name] = value
        position += 4 + size
    return found


def _number(data: bytes) -> int:
    (value,) = struct.unpack("<I", data)
    return int(value)


def _unpacked(data: bytes, compression: bytes) -> bytes:
    """Unpack a chunk; of a cut one, what there is."""
    if compression == b"bz2":
        return BZ2Decompressor().decompress(data, MAX_CHUNK_BYTES)
    if compression == b"lz4":
        lz4 = import_module("lz4.frame")
        return bytes(lz4.LZ4FrameDecompressor().decompress(data, MAX_CHUNK_BYTES))
    return data
