# SPDX-License-Identifier: Apache-2.0
"""An MCAP file, whole or damaged, with or without its index."""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.source import ReadErrors
from panoptic_ros.recordings.storage import mcap_records as raw
from panoptic_ros.recordings.storage.mcap_index import Block, McapIndex, content_of, read_index
from panoptic_ros.recordings.storage.record import NEVER_NS, Record, StorageFile, Topic, merged


class McapFile(StorageFile):
    """Reads the blocks of a file in the order of their times.

    Args:
        path: The file; its end may be missing.
        read_errors: Where damage is noted.
        stream: What to read it through where ``path`` only names it, as in an object store; it
            is closed with the file.

    Raises:
        DataError: It is no MCAP file.
        OSError: It cannot be read.
    """

    def __init__(
        self, path: Path, read_errors: ReadErrors, stream: BinaryIO | None = None
    ) -> None:
        self.path = path
        self._losses = read_errors
        self._stream = stream or path.open("rb")
        try:
            if self._stream.read(len(raw.MAGIC)) != raw.MAGIC:
                raise DataError("is not an MCAP file")
            size = self._stream.seek(0, os.SEEK_END)
            self._index = read_index(self._stream, size, self._note)
        except BaseException:
            self._stream.close()
            raise
        self.topics = _topics(self._index)
        self.start_ns = min((block.start_ns for block in self._index.blocks), default=NEVER_NS)
        self.end_ns = max((block.end_ns for block in self._index.blocks), default=None)
        self.breaks_ns = tuple(block.start_ns for block in self._index.blocks)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records of these topics with start <= time < end in the order of time."""
        channels = self._index.channels.channels
        wanted = {key for key, (topic, *_) in channels.items() if topic in topics}
        last_ns = NEVER_NS if end_ns is None else end_ns - 1
        blocks = [
            block
            for block in self._index.blocks
            if block.start_ns <= last_ns
            and block.end_ns >= start_ns
            and (block.channels is None or not wanted.isdisjoint(block.channels))
        ]
        streams = [(block.start_ns, partial(self._block, block, wanted)) for block in blocks]
        for record in merged(streams):
            if start_ns <= record.time_ns <= last_ns:
                yield record

    def _block(self, block: Block, wanted: Collection[int]) -> Iterator[Record]:
        try:
            content = content_of(self._stream, block)
        except Exception as error:  # zstd and lz4 have error trees of their own
            self._note(f"a chunk cannot be unpacked ({error}); its messages are lost")
            return
        found = [
            record
            for kind, data in raw.inner_records(content)
            if kind == raw.MESSAGE and (record := self._record(data, wanted)) is not None
        ]
        found.sort(key=lambda record: record.time_ns)
        yield from found

    def _record(self, data: memoryview, wanted: Collection[int]) -> Record | None:
        if len(data) < raw.MESSAGE_BYTES:
            return None
        channel, _, time_ns = struct.unpack_from("<HIQ", data)
        if channel not in wanted:
            return None
        described = self._index.channels.described(channel)
        if described is None:
            return None
        topic, kind, encoding = described
        return Record(topic, kind, time_ns, bytes(data[raw.MESSAGE_BYTES :]), encoding)

    def _note(self, what: str) -> None:
        self._losses.note(f"{self.path.name}: {what}")


def has_messages(path: Path) -> bool:
    """Whether an MCAP file holds a chunk, or a message outside of one; quick where it is whole.

    Raises:
        OSError: It is there and cannot be read.
    """
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        try:
            heads = raw.heads(stream, len(raw.MAGIC), path.stat().st_size)
            return any(head.kind in (raw.CHUNK, raw.MESSAGE) for head in heads)
        except ValueError:
            return False


def _topics(index: McapIndex) -> tuple[Topic, ...]:
    """Topics with messages; those of several channels are put together."""
    counts: dict[tuple[str, str, str], int] = {}
    for channel in index.channels.channels:
        described = index.channels.described(channel)
        if described is not None:
            counts[described] = counts.get(described, 0) + index.counts[channel]
    return tuple(
        Topic(name, kind, count, encoding, index.channels.qos.get(name, ""))
        for (name, kind, encoding), count in counts.items()
    )
