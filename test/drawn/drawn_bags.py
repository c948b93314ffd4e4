# SPDX-License-Identifier: Apache-2.0
"""Storage files of bags in every form: packed, split, and MCAP byte by byte."""

from __future__ import annotations

import shutil
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from test.drawn.drawn_inputs import SECOND_NS, image, image_message

TOPIC = "/front/image_raw"
IMAGE_TYPE = "sensor_msgs/msg/Image"
MAGIC = b"\x89MCAP0\r\n"


@cache
def store(is_ros1: bool = False) -> Any:
    from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS1_NOETIC if is_ros1 else Stores.ROS2_HUMBLE)


def time_of(number: int) -> int:
    """10 Hz from t = 5 s on."""
    return 5 * SECOND_NS + number * SECOND_NS // 10


@cache
def cdr(number: int) -> bytes:
    message = image_message(store(), image(number), time_of(number))
    return bytes(store().serialize_cdr(message, IMAGE_TYPE))


def zstd_packed(data: bytes) -> bytes:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return bytes(import_module(name).compress(data))


def write_part(path: Path, numbers: Iterable[int], packing: str = "") -> Path:
    """Write one storage file of images; ``packing`` is "", "chunks", "messages" or "file".

    Returns:
        The file; with packing "file" its name ends in ``.zstd``.
    """
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    scratch = path.parent / "scratch"
    plugin = StoragePlugin.MCAP if path.suffix == ".mcap" else StoragePlugin.SQLITE3
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = Writer(scratch, version=9, storage_plugin=plugin)
    modes = {"messages": CompressionMode.MESSAGE, "chunks": CompressionMode.STORAGE}
    if packing in modes:
        writer.set_compression(modes[packing], CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection(TOPIC, IMAGE_TYPE, typestore=store())
        for number in numbers:
            writer.write(connection, time_of(number), cdr(number))
    shutil.move(next(f for f in scratch.iterdir() if f.name != "metadata.yaml"), path)
    shutil.rmtree(scratch)
    if packing != "file":
        return path
    packed = path.with_name(path.name + ".zstd")
    packed.write_bytes(zstd_packed(path.read_bytes()))
    path.unlink()
    return packed


def write_metadata(folder: Path, files: Sequence[str], count: int, **changes: str) -> None:
    """Write ``metadata.yaml`` of a bag of images; ``changes``: storage, compression, mode."""
    lines = [
        "rosbag2_bagfile_information:",
        "  version: 5",
        f"  storage_identifier: {changes.get('storage', 'sqlite3')}",
        "  duration: {nanoseconds: 0}",
        "  starting_time: {nanoseconds_since_epoch: 0}",
        f"  message_count: {count}",
        "  topics_with_message_count: []",
        f'  compression_format: "{changes.get("compression", "")}"',
        f'  compression_mode: "{changes.get("mode", "")}"',
        "  relative_file_paths:",
        *(f"    - {name}" for name in files),
    ]
    (folder / "metadata.yaml").write_text("\n".join(lines) + "\n")


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<BQ", kind, len(body)) + body


def schema_record(key: int, name: str, encoding: str = "ros2msg") -> bytes:
    return record(3, struct.pack("<H", key) + text(name) + text(encoding) + text(""))


def channel_record(key: int, schema: int, topic: str, encoding: str = "cdr") -> bytes:
    return record(4, struct.pack("<HH", key, schema) + text(topic) + text(encoding) + text(""))


def message_record(channel: int, time_ns: int, data: bytes) -> bytes:
    return record(5, struct.pack("<HIQQ", channel, 0, time_ns, time_ns) + data)


@dataclass(frozen=True)
class McapForm:
    """Which of the optional parts an MCAP file has.

    Attributes:
        chunks: Whether messages lie in chunks.
        message_index: After every chunk.
        chunk_index: In the summary.
        schemas: Repeated in the summary.
        channels: Repeated in the summary.
        statistics: In the summary.
        summary: Whether there is one.
        profile: Of the header.
        empty_chunks: Beside the others.
        loose: Images that lie outside of the chunks.
        order: In which the images are written.
        counts: Messages that the statistics claim, None for the truth.
        compression: Of the chunks: "", "zstd" or "lz4".
    """

    chunks: bool = True
    message_index: bool = True
    chunk_index: bool = True
    schemas: bool = True
    channels: bool = True
    statistics: bool = True
    summary: bool = True
    profile: str = "ros2"
    empty_chunks: bool = False
    loose: tuple[int, ...] = ()
    order: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    counts: int | None = None
    compression: str = ""


def write_mcap(path: Path, form: McapForm) -> Path:
    """Write an MCAP file of the images of a form."""
    described = schema_record(1, IMAGE_TYPE) + channel_record(1, 1, TOPIC)
    out = bytearray(MAGIC + record(1, text(form.profile) + text("test")))
    indexes: list[bytes] = []
    for place, number in enumerate(form.order):
        before = described if place == 0 else b""
        body = before + message_record(1, time_of(number), cdr(number))
        if not form.chunks or number in form.loose:
            out += body
            continue
        indexes.append(_chunk(out, body, len(before), time_of(number), form))
        if form.empty_chunks:
            indexes.append(_chunk(out, b"", 0, 0, replace(form, message_index=False)))
    out += record(0xF, struct.pack("<I", 0))
    start = len(out)
    if form.summary:
        out += schema_record(1, IMAGE_TYPE) if form.schemas else b""
        out += channel_record(1, 1, TOPIC) if form.channels else b""
        out += _statistics(form, len(indexes)) if form.statistics else b""
        out += b"".join(indexes) if form.chunk_index else b""
    is_there = form.summary and len(out) > start
    out += record(2, struct.pack("<QQI", start if is_there else 0, 0, 0)) + MAGIC
    path.write_bytes(out)
    return path


def _chunk(out: bytearray, body: bytes, message_at: int, time_ns: int, form: McapForm) -> bytes:
    """Append a chunk and return its record in the summary."""
    start = len(out)
    packed = _packed(body, form.compression)
    size = struct.pack("<QQQI", time_ns, time_ns, len(body), 0) + text(form.compression)
    chunk = record(6, size + struct.pack("<Q", len(packed)) + packed)
    out += chunk
    offsets, index_size = b"", 0
    if form.message_index:
        entry = struct.pack("<HI", 1, 16) + struct.pack("<QQ", time_ns, message_at)
        offsets = struct.pack("<HQ", 1, len(out))
        out += (written := record(7, entry))
        index_size = len(written)
    body_sizes = struct.pack("<QQ", len(packed), len(body))
    head = struct.pack("<QQQQ", time_ns, time_ns, start, len(chunk))
    told = struct.pack("<I", len(offsets)) + offsets + struct.pack("<Q", index_size)
    return record(8, head + told + text(form.compression) + body_sizes)


def _packed(body: bytes, compression: str) -> bytes:
    if compression == "lz4":
        return bytes(import_module("lz4.frame").compress(body))
    return zstd_packed(body) if compression else body


def _statistics(form: McapForm, chunks: int) -> bytes:
    count = len(form.order) if form.counts is None else form.counts
    times = sorted(time_of(number) for number in form.order)
    head = struct.pack("<QHIIIIQQ", count, 1, 1, 0, 0, chunks, times[0], times[-1])
    return record(0xB, head + struct.pack("<IHQ", 10, 1, count))


def write_messages(
    path: Path, kind: str, encoding: str, messages: Sequence[bytes], schema_encoding: str = ""
) -> Path:
    """Write an MCAP file of serialised messages of any schema at 10 Hz, without summary."""
    out = MAGIC + record(1, text("") + text("test"))
    out += schema_record(1, kind, schema_encoding) + channel_record(1, 1, "/cam", encoding)
    for number, data in enumerate(messages):
        out += message_record(1, time_of(number), data)
    out += record(0xF, struct.pack("<I", 0)) + record(2, struct.pack("<QQI", 0, 0, 0)) + MAGIC
    path.write_bytes(out)
    return path
