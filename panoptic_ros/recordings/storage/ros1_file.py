# SPDX-License-Identifier: Apache-2.0
"""A ROS 1 bag, through ``rosbags`` while its index leads on, else from front to back."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.recordings.source import ReadErrors, describe
from panoptic_ros.recordings.storage.record import NEVER_NS, Record, StorageFile, Topic
from panoptic_ros.recordings.storage.recover_ros1 import MAGIC, scan_ros1

ROS1 = "ros1"
"""Encoding of its messages."""

_DAMAGE = (struct.error, ValueError, KeyError, EOFError, OSError)


class Ros1File(StorageFile):
    """Reads a bag of version 2.0 in the order of time; one without index as it was written.

    Args:
        path: The file; its end may be missing.
        read_errors: Where damage is noted.

    Raises:
        ConfigError: ``rosbags`` is not installed.
        DataError: It is no ROS 1 bag.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path, read_errors: ReadErrors) -> None:
        self.path = path
        self._losses = read_errors
        with path.open("rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                raise DataError("is not a ROS 1 bag of version 2.0")
        self._reader = self._opened()
        if self._reader is None:
            self._take_from_scan()
        else:
            self.topics = tuple(
                Topic(entry.topic, entry.msgtype, entry.msgcount, ROS1)
                for entry in self._reader.connections
            )
            self.start_ns = (
                int(self._reader.start_time) if self._reader.message_count else NEVER_NS
            )

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records; where the index lies, go on with what can be recovered."""
        if self._reader is None:
            yield from self._recovered(topics, start_ns, end_ns, Counter())
            return
        last_ns, given = start_ns, Counter[str]()
        try:
            for record in self._indexed(topics, start_ns, end_ns):
                if record.time_ns != last_ns:
                    last_ns, given = record.time_ns, Counter()
                given[record.topic] += 1
                yield record
        except Exception as error:  # rosbags raises whatever its parser trips over
            self._note(f"damaged ({describe(error)})")
            yield from self._recovered(topics, last_ns, end_ns, given)

    def _opened(self) -> Any:
        try:
            from rosbags import rosbag1
        except ImportError as error:
            raise ConfigError(
                "bags need rosbags, which is not installed; run: pip install rosbags"
            ) from error
        try:
            reader = rosbag1.Reader(self.path)
            reader.open()
        except Exception as error:  # rosbags raises whatever its parser trips over
            self._note(f"{describe(error)}; read without its index, as far as it goes")
            return None
        return reader

    def _take_from_scan(self) -> None:
        counts: Counter[tuple[str, str]] = Counter()
        for record in self._scan(ReadErrors()):
            counts[record.topic, record.type] += 1
            self.start_ns = min(self.start_ns, record.time_ns)
        self.topics = tuple(Topic(*key, count, ROS1) for key, count in counts.items())

    def _indexed(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        wanted = [entry for entry in self._reader.connections if entry.topic in topics]
        if wanted:
            for entry, time_ns, data in self._reader.messages(wanted, start_ns, end_ns):
                yield Record(entry.topic, entry.msgtype, time_ns, data, ROS1)

    def _recovered(
        self, topics: Collection[str], start_ns: int, end_ns: int | None, given: Counter[str]
    ) -> Iterator[Record]:
        """Yield what a scan finds, without the messages of the first time that were given."""
        left = Counter(given)
        for record in self._scan(self._losses):
            in_time = record.time_ns >= start_ns and (end_ns is None or record.time_ns < end_ns)
            if not in_time or record.topic not in topics:
                continue
            if record.time_ns == start_ns and left[record.topic]:
                left[record.topic] -= 1
                continue
            yield record

    def _scan(self, read_errors: ReadErrors) -> Iterator[Record]:
        def note(what: str) -> None:
            read_errors.note(f"{self.path.name}: {what}")

        try:
            yield from scan_ros1(self.path, note)
        except _DAMAGE as error:
            note(f"nothing more can be read ({error})")

    def _note(self, what: str) -> None:
        self._losses.note(f"{self.path.name}: {what}")
