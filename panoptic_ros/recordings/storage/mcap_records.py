# SPDX-License-Identifier: Apache-2.0
"""The records of an MCAP file, byte by byte; see https://mcap.dev/spec."""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import BinaryIO

from panoptic_ros.core.files.limits import MAX_CHUNK_BYTES, MAX_RECORD_BYTES
from panoptic_ros.recordings.storage import zstd

MAGIC = b"\x89MCAP0\r\n"
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK = 0x02, 0x03, 0x04, 0x05, 0x06
CHUNK_INDEX, STATISTICS, DATA_END = 0x08, 0x0B, 0x0F
HEAD_BYTES = 9
MESSAGE_BYTES = 22
"""Channel, sequence number and the two times before a message's data."""
CHUNK_BYTES = 28
FOOTER_BYTES = HEAD_BYTES + 20
_QOS = "offered_qos_profiles"
"""What rosbag2 writes into the metadata of a channel."""


@dataclass(frozen=True)
class Head:
    """Where a record lies: its kind, the start of its body, and the size that it claims."""

    kind: int
    body: int
    size: int


@dataclass
class Channels:
    """Schemas and channels met so far.

    Attributes:
        schemas: Name by id.
        channels: Topic, schema id and message encoding by id.
        qos: Quality of service of the publishers by topic, where rosbag2 wrote it.
    """

    schemas: dict[int, str] = field(default_factory=dict)
    channels: dict[int, tuple[str, int, str]] = field(default_factory=dict)
    qos: dict[str, str] = field(default_factory=dict)

    def learn(self, kind: int, body: bytes | memoryview) -> None:
        """Take in a record; of other kinds nothing is kept."""
        if kind == SCHEMA:
            (key,) = struct.unpack_from("<H", body)
            self.schemas[key] = string(body, 2)[0]
        elif kind == CHANNEL:
            key, schema = struct.unpack_from("<HH", body)
            topic, at = string(body, 4)
            encoding, at = string(body, at)
            self.channels[key] = (topic, schema, encoding)
            if told := _entry(body, at, _QOS):
                self.qos[topic] = told

    def described(self, channel: int) -> tuple[str, str, str] | None:
        """Topic, type and encoding of a channel; None where it was not met."""
        if channel not in self.channels:
            return None
        topic, schema, encoding = self.channels[channel]
        return topic, ros_type(self.schemas.get(schema, "")), encoding or "cdr"

    def knows(self, channel: int) -> bool:
        """Whether the channel and its schema were met; schema 0 means that it has none."""
        known = self.channels.get(channel)
        return known is not None and (known[1] == 0 or known[1] in self.schemas)


@dataclass(frozen=True)
class Statistics:
    """What a summary says about the whole file: messages, chunks, messages by channel."""

    messages: int
    chunks: int
    counts: dict[int, int]


def ros_type(schema: str) -> str:
    """Name of a ROS message in ROS 2's spelling; other names stay.

    >>> ros_type("sensor_msgs/Image"), ros_type("std_msgs::msg::Bool"), ros_type("foxglove.Log")
    ('sensor_msgs/msg/Image', 'std_msgs/msg/Bool', 'foxglove.Log')
    """
    parts = schema.replace("::", "/").split("/")
    return "/".join([parts[0], "msg", parts[1]] if len(parts) == 2 else parts)


def heads(stream: BinaryIO, start: int, end: int) -> Iterator[Head]:
    """Yield where the records between two places lie, without reading their bodies.

    Raises:
        ValueError: A record claims an absurd size.
    """
    at = start
    while at + HEAD_BYTES <= end:
        stream.seek(at)
        head = stream.read(HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            return
        kind, size = struct.unpack("<BQ", head)
        if kind == 0 or size > MAX_RECORD_BYTES:
            raise ValueError(f"at byte {at} is no record (kind {kind}, {size} bytes)")
        yield Head(kind, at + HEAD_BYTES, size)
        at += HEAD_BYTES + size


def body(stream: BinaryIO, head: Head) -> bytes:
    """Read a record; of one that is cut off, what there is."""
    stream.seek(head.body)
    return stream.read(head.size)


def inner_records(content: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield kind and body of the whole records of a chunk, as views of it."""
    content, at = memoryview(content), 0
    while at + HEAD_BYTES <= len(content):
        kind, size = struct.unpack_from("<BQ", content, at)
        at += HEAD_BYTES
        if at + size > len(content):
            return
        yield kind, content[at : at + size]
        at += size


def chunk_content(chunk: memoryview, claimed: int) -> bytes | memoryview:
    """Unpack a chunk; of one that is cut off, what there is.

    Args:
        chunk: Body of the chunk record; the content is a view of it where it is not packed.
        claimed: The size that its record claims.

    Raises:
        ValueError: The checksum or the compression is wrong.
        Exception: Whatever the compression's library says about damage.
    """
    _, _, size, checksum = struct.unpack_from("<QQQI", chunk)
    compression, at = string(chunk, CHUNK_BYTES)
    (packed_size,) = struct.unpack_from("<Q", chunk, at)
    content = _unpacked(chunk[at + 8 : at + 8 + packed_size], compression)
    is_whole = len(chunk) >= claimed
    if is_whole and (len(content) != size or (checksum and crc32(content) != checksum)):
        raise ValueError("it fails its checksum")
    return content


def statistics(data: memoryview) -> Statistics:
    """Read a statistics record."""
    messages, _, _, _, _, chunks, _, _, size = struct.unpack_from("<QHIIIIQQI", data)
    start = struct.calcsize("<QHIIIIQQI")
    counts = dict(struct.iter_unpack("<HQ", data[start : start + size]))
    return Statistics(messages, chunks, counts)


def string(data: bytes | memoryview, start: int) -> tuple[str, int]:
    """Read a string and say where it ends.

    Raises:
        ValueError: It is cut off or no text.
    """
    (size,) = struct.unpack_from("<I", data, start)
    end = start + 4 + size
    if end > len(data):
        raise ValueError("a text is cut off")
    return str(data[start + 4 : end], "utf-8"), end


def _entry(data: bytes | memoryview, at: int, wanted: str) -> str:
    """Value of one key of a map; empty where it is not there or the map is damaged."""
    try:
        (size,) = struct.unpack_from("<I", data, at)
        at, end = at + 4, at + 4 + size
        while at < end:
            key, at = string(data, at)
            value, at = string(data, at)
            if key == wanted:
                return value
    except (struct.error, ValueError):
        return ""
    return ""


def _unpacked(data: memoryview, compression: str) -> bytes | memoryview:
    if compression == "zstd":
        return zstd.unpack(data)
    if compression == "lz4":
        lz4 = import_module("lz4.frame")
        return bytes(lz4.LZ4FrameDecompressor().decompress(data, MAX_CHUNK_BYTES))
    if compression:
        raise ValueError(f"its compression {compression!r} is not known")
    return data
