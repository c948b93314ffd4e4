# SPDX-License-Identifier: Apache-2.0
"""Where the messages of an MCAP file lie: by its summary, and by walking what that leaves out.

Every part of a summary is optional by the format, so nothing depends on it: what it lists is
believed where it agrees with itself, the rest of the file is walked record by record.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import BinaryIO

from panoptic_ros.recordings.storage import mcap_records as raw
from panoptic_ros.recordings.storage.record import NEVER_NS

_MOST_LOOSE_BYTES = 1 << 22


@dataclass
class Block:
    """A chunk, or a run of messages outside of chunks.

    Attributes:
        start_ns: Time of its first message.
        end_ns: Time of its last message.
        at: Where its first record starts.
        end: Where its last record ends, by what it claims.
        is_chunk: Whether it is one chunk.
        channels: Channels that it holds, None where that is not known.
        next_at: Where the record after its message index starts, 0 where that is not known.
    """

    start_ns: int
    end_ns: int
    at: int
    end: int
    is_chunk: bool
    channels: Collection[int] | None = None
    next_at: int = 0


@dataclass
class McapIndex:
    """Blocks and channels of a file.

    Attributes:
        channels: What is known of them.
        blocks: In any order.
        counts: Messages by channel.
        is_finished: Whether the end of the data section was met.
    """

    channels: raw.Channels = field(default_factory=raw.Channels)
    blocks: list[Block] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)
    is_finished: bool = False


@dataclass
class Summary:
    """What the end of a file says about it.

    Attributes:
        channels: Those that it repeats.
        chunks: Those that it lists.
        statistics: None where it has none.
        data_end: Where the data section ends.
    """

    data_end: int
    channels: raw.Channels = field(default_factory=raw.Channels)
    chunks: list[Block] = field(default_factory=list)
    statistics: raw.Statistics | None = None


def read_index(stream: BinaryIO, size: int, note: Callable[[str], None]) -> McapIndex:
    """Find the messages of a file.

    Args:
        stream: The file.
        size: Its bytes.
        note: Called with each damage that is met.
    """
    summary = _summary_or_none(stream, size, note)
    index = McapIndex()
    if summary is None:
        _walk(stream, len(raw.MAGIC), size, index, note)
    else:
        index.channels, index.is_finished = summary.channels, True
        _walk_gaps(stream, summary, index, note)
    listed = summary.chunks if summary else []
    known = _trusted(summary, index)
    index.blocks.extend(listed)
    if known is not None:
        index.counts = Counter(known)
    else:
        _survey(stream, index, note)
    if not index.is_finished:
        note("ends before its index; the recording was cut off")
    elif summary is None:
        note("its index is cut off or damaged; read without it")
    return index


def content_of(stream: BinaryIO, block: Block) -> bytes | memoryview:
    """Read and unpack a block's records.

    Raises:
        ValueError: It is no chunk, or its checksum or compression is wrong.
        Exception: Whatever the compression's library says about damage.
    """
    stream.seek(block.at)
    data = stream.read(block.end - block.at)
    if not block.is_chunk:
        return data
    kind, claimed = struct.unpack_from("<BQ", data)
    if kind != raw.CHUNK:
        raise ValueError("its record is of another kind")
    return raw.chunk_content(memoryview(data)[raw.HEAD_BYTES :], claimed)


def _summary_or_none(stream: BinaryIO, size: int, note: Callable[[str], None]) -> Summary | None:
    try:
        return _summary(stream, size)
    except (struct.error, ValueError) as error:
        note(f"its index cannot be used ({error})")
        return None


def _summary(stream: BinaryIO, size: int) -> Summary | None:
    """Read the summary; None where the file has no end.

    Raises:
        ValueError: It is damaged.
    """
    footer = size - len(raw.MAGIC) - raw.FOOTER_BYTES
    stream.seek(max(footer, 0))
    end = stream.read()
    if footer < len(raw.MAGIC) or not end.endswith(raw.MAGIC) or end[0] != raw.FOOTER:
        return None
    start, _, checksum = struct.unpack_from("<QQI", end, raw.HEAD_BYTES)
    if not start:
        return Summary(footer)
    if not len(raw.MAGIC) <= start <= footer:
        raise ValueError("it lies outside of the file")
    stream.seek(start)
    covered = stream.read(footer - start + raw.FOOTER_BYTES - 4)
    if checksum and crc32(covered) != checksum:
        raise ValueError("it fails its checksum")
    summary = Summary(start)
    for kind, data in raw.inner_records(covered[: footer - start]):
        summary.channels.learn(kind, data)
        if kind == raw.CHUNK_INDEX:
            summary.chunks.append(_listed_chunk(data, start))
        elif kind == raw.STATISTICS:
            summary.statistics = raw.statistics(data)
    return summary


def _listed_chunk(data: memoryview, data_end: int) -> Block:
    start_ns, end_ns, at, length, size = struct.unpack_from("<QQQQI", data)
    first = struct.calcsize("<QQQQI")
    channels = [key for key, _ in struct.iter_unpack("<HQ", data[first : first + size])]
    (index_size,) = struct.unpack_from("<Q", data, first + size)
    if at + length + index_size > data_end:
        raise ValueError("it lists a chunk outside of the data")
    end = at + length
    return Block(start_ns, end_ns, at, end, True, channels or None, end + index_size)


def _walk_gaps(
    stream: BinaryIO, summary: Summary, index: McapIndex, note: Callable[[str], None]
) -> None:
    """Walk what lies between the chunks that the summary lists, their message indexes left out.

    Where nothing lies between, as recorders write it, nothing of the data is read: from an object
    store each piece would be a request.
    """
    at = len(raw.MAGIC)
    for block in sorted(summary.chunks, key=lambda chunk: chunk.at):
        _walk(stream, at, block.at, index, note)
        at = max(at, block.end, block.next_at)
    _walk(stream, at, summary.data_end, index, note)


def _walk(
    stream: BinaryIO, start: int, end: int, index: McapIndex, note: Callable[[str], None]
) -> None:
    try:
        for head in raw.heads(stream, start, end):
            if head.kind == raw.DATA_END:
                index.is_finished = True
                return
            if head.kind == raw.CHUNK:
                _add_chunk(stream, head, index)
            elif head.body + head.size > end:
                return
            elif head.kind == raw.MESSAGE:
                _add_message(stream, head, index)
            elif head.kind in (raw.SCHEMA, raw.CHANNEL):
                index.channels.learn(head.kind, raw.body(stream, head))
    except (struct.error, ValueError) as error:
        note(f"nothing more can be read ({error})")


def _add_chunk(stream: BinaryIO, head: raw.Head, index: McapIndex) -> None:
    stream.seek(head.body)
    begin = stream.read(16)
    if len(begin) == 16:
        start_ns, end_ns = struct.unpack("<QQ", begin)
        at = head.body - raw.HEAD_BYTES
        index.blocks.append(Block(start_ns, end_ns, at, head.body + head.size, True))


def _add_message(stream: BinaryIO, head: raw.Head, index: McapIndex) -> None:
    stream.seek(head.body)
    channel, _, time_ns = struct.unpack("<HIQ", stream.read(14))
    index.counts[channel] += 1
    at, end = head.body - raw.HEAD_BYTES, head.body + head.size
    last = index.blocks[-1] if index.blocks else None
    if (
        last is not None
        and not last.is_chunk
        and time_ns >= last.end_ns
        and end - last.at <= _MOST_LOOSE_BYTES
    ):
        last.end_ns, last.end = time_ns, end
    else:
        index.blocks.append(Block(time_ns, time_ns, at, end, False))


def _trusted(summary: Summary | None, index: McapIndex) -> dict[int, int] | None:
    """Counts of a summary that agrees with itself and with the file; None for any other.

    Args:
        summary: None where there is none.
        index: What the summary leaves out, walked already.
    """
    if summary is None or summary.statistics is None:
        return None
    told = summary.statistics
    listed = {key for chunk in summary.chunks for key in chunk.channels or ()}
    counted = {key for key, count in told.counts.items() if count}
    agrees = (
        sum(told.counts.values()) == told.messages >= sum(index.counts.values())
        and told.chunks == len(summary.chunks)
        and not any(block.is_chunk for block in index.blocks)
        and bool(told.messages) == bool(summary.chunks or index.blocks)
        and listed | set(index.counts) <= counted
        and all(index.channels.knows(key) for key in counted)
    )
    return told.counts if agrees else None


def _survey(stream: BinaryIO, index: McapIndex, note: Callable[[str], None]) -> None:
    """Count what the chunks hold by unpacking them."""
    for block in index.blocks:
        if not block.is_chunk:
            continue
        block.start_ns, block.end_ns, seen = NEVER_NS, 0, set()
        try:
            content = content_of(stream, block)
        except Exception as error:  # zstd and lz4 have error trees of their own
            note(f"a chunk cannot be unpacked ({error}); its messages are lost")
            continue
        for kind, data in raw.inner_records(content):
            if kind == raw.MESSAGE and len(data) >= raw.MESSAGE_BYTES:
                channel, _, time_ns = struct.unpack_from("<HIQ", data)
                index.counts[channel] += 1
                seen.add(channel)
                block.start_ns = min(block.start_ns, time_ns)
                block.end_ns = max(block.end_ns, time_ns)
            else:
                index.channels.learn(kind, data)
        block.channels = seen
