# SPDX-License-Identifier: Apache-2.0
"""Read what is left of a damaged bag, record by record, without its index.

Sources: https://mcap.dev/spec, http://wiki.ros.org/Bags/Format/2.0 and the tables that
rosbag2_storage_sqlite3 creates.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path

from panoptic_ros.recordings.bag_part import BagPart, Record, Topic
from panoptic_ros.recordings.recover_mcap import scan_mcap
from panoptic_ros.recordings.recover_ros1 import scan_ros1
from panoptic_ros.recordings.source import ReadErrors

MOST_MISSES = 1000
"""Unreadable rows in a row after which the rest of a database is given up."""


class RecoveredPart(BagPart):
    """A storage file read from front to back as far as it goes.

    Args:
        file: ``.mcap``, ``.db3`` or ``.bag``.
        losses: Where damage is noted.
    """

    def __init__(self, file: Path, losses: ReadErrors) -> None:
        self._file = file
        self._losses = losses
        counts = Counter((record.topic, record.type) for record in self._scan(ReadErrors()))
        self.topics = tuple(Topic(name, kind, count) for (name, kind), count in counts.items())

    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records in the order they were written."""
        for record in self._scan(self._losses):
            in_time = record.time_ns >= start_ns and (end_ns is None or record.time_ns < end_ns)
            if in_time and record.topic in topics:
                yield record

    def _scan(self, losses: ReadErrors) -> Iterator[Record]:
        def note(what: str) -> None:
            losses.note(f"{self._file.name}: {what}")

        try:
            yield from _SCANNERS[self._file.suffix](self._file, note)
        except (struct.error, ValueError, KeyError, EOFError, OSError, sqlite3.Error) as error:
            note(f"nothing more can be read ({error})")


def scan_sqlite(file: Path, note: Callable[[str], None]) -> Iterator[Record]:
    """Yield the rows of a rosbag2 database one by one, stepping over the unreadable ones."""
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as database:
        # Without it SQLite refuses a file that is shorter than its header says.
        database.execute("PRAGMA writable_schema = ON")
        topics = {
            key: (name, kind)
            for key, name, kind in database.execute("SELECT id, name, type FROM topics")
        }
        row, misses, lost = 0, 0, 0
        while misses < MOST_MISSES:
            row += 1
            found = _row(database, row)
            if found is None:
                misses += 1
                continue
            lost, misses = lost + misses, 0
            name, kind = topics[found[0]]
            yield Record(name, kind, found[1], found[2], is_ros1=False)
        if lost:
            note(f"{lost} messages are unreadable")


def _row(database: sqlite3.Connection, row: int) -> tuple[int, int, bytes] | None:
    query = "SELECT topic_id, timestamp, data FROM messages WHERE id = ?"
    try:
        found: tuple[int, int, bytes] | None = database.execute(query, (row,)).fetchone()
    except sqlite3.DatabaseError:
        return None
    if found is None or not isinstance(found[1], int) or not isinstance(found[2], bytes):
        return None
    return found


_SCANNERS: dict[str, Callable[[Path, Callable[[str], None]], Iterator[Record]]] = {
    ".mcap": scan_mcap,
    ".db3": scan_sqlite,
    ".bag": scan_ros1,
}
