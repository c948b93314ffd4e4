# SPDX-License-Identifier: Apache-2.0
"""Walk through an MCAP file from front to back as far as it goes; see https://mcap.dev/spec."""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from panoptic_ros.core.files.limits import MAX_CHUNK_BYTES, MAX_RECORD_BYTES
from panoptic_ros.recordings.bag_part import Record

MAGIC = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 0x03, 0x04, 0x05, 0x06, 0x0F


def scan_mcap(file: Path, note: Callable[[str], None]) -> Iterator[Record]:
    """Yield the messages up to the point where the file ends or makes no sense any more.

    Args:
        file: The file; the end may be missing.
        note: Called with each damage that is met.
    """
    with file.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            note("is not an MCAP file")
            return
        walk = _Walk(note)
        yield from walk.messages(stream, file.stat().st_size)
        if not walk.is_finished:
            note("ends before its index; the recording was cut off")


@dataclass
class _Walk:
    """What must be remembered between records."""

    note: Callable[[str], None]
    schemas: dict[int, str] = field(default_factory=dict)
    channels: dict[int, tuple[str, str]] = field(default_factory=dict)
    is_finished: bool = False

    def messages(self, stream: BinaryIO, end: int) -> Iterator[Record]:
        for kind, body, missing in _records(stream, end):
            if kind == CHUNK:
                yield from self._chunk(body, missing)
            elif kind == DATA_END:
                self.is_finished = True
                return
            elif missing:
                return
            elif kind == MESSAGE:
                yield from self._message(body)
            else:
                self._remember(kind, body)

    def _remember(self, kind: int, body: bytes) -> None:
        if kind == SCHEMA:
            (key,) = struct.unpack_from("<H", body)
            self.schemas[key] = _string(body, 2)
        elif kind == CHANNEL:
            key, schema = struct.unpack_from("<HH", body)
            self.channels[key] = (_string(body, 4), self.schemas.get(schema, ""))

    def _message(self, body: bytes) -> Iterator[Record]:
        channel, _, time_ns = struct.unpack_from("<HIQ", body)
        if channel in self.channels:
            topic, kind = self.channels[channel]
            yield Record(topic, kind, time_ns, body[22:], is_ros1=False)

    def _chunk(self, body: bytes, missing: int) -> Iterator[Record]:
        if len(body) < 40:
            return
        *_, size, checksum = struct.unpack_from("<QQQI", body)
        compression = _string(body, 28)
        data = body[28 + 4 + len(compression) + 8 :]
        try:
            content = _unpacked(data, compression)
        except Exception as error:  # zstd and lz4 have error trees of their own
            self.note(f"a chunk cannot be unpacked ({error}); its messages are lost")
            return
        if not missing and (len(content) != size or (checksum and crc32(content) != checksum)):
            self.note("a chunk fails its checksum; its messages are lost")
            return
        yield from self.messages(BytesIO(content), len(content))


def _records(stream: BinaryIO, end: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield opcode, body, and how many bytes of the body are missing."""
    while len(head := stream.read(9)) == 9:
        kind, size = struct.unpack("<BQ", head)
        if size > MAX_RECORD_BYTES:
            raise ValueError(f"a record claims {size} bytes")
        body = stream.read(min(size, end - stream.tell()))
        yield kind, body, size - len(body)


def _string(body: bytes, start: int) -> str:
    (size,) = struct.unpack_from("<I", body, start)
    return body[start + 4 : start + 4 + size].decode()


def _unpacked(data: bytes, compression: str) -> bytes:
    """Unpack a chunk; of a cut one, what there is."""
    if compression == "zstd":
        # From Python 3.14 on it is in the standard library; rosbags knows where it is before.
        zstd = import_module("rosbags.rosbag2.storage_mcap").zstd
        return bytes(zstd.ZstdDecompressor().decompress(data, MAX_CHUNK_BYTES))
    if compression == "lz4":
        lz4 = import_module("lz4.frame")
        return bytes(lz4.LZ4FrameDecompressor().decompress(data, MAX_CHUNK_BYTES))
    if compression:
        raise ValueError(f"compression {compression!r} is not known")
    return data
