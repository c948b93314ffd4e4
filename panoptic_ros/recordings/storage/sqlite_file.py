# SPDX-License-Identifier: Apache-2.0
"""A database as rosbag2_storage_sqlite3 writes it, whole or damaged."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from panoptic_ros.core.errors import DataError, counted
from panoptic_ros.recordings.source import ReadErrors
from panoptic_ros.recordings.storage.record import NEVER_NS, Record, StorageFile, Topic

MAGIC = b"SQLite format 3\0"
_HEAD_BYTES = 100
_MAPPED_BYTES = 1 << 40
MOST_MISSES = 1000
"""Unreadable rows in a row after which the rest of a database is given up."""

Row = tuple[int, int, int]
"""Time in ns, id of the row, id of the topic."""


class SqliteFile(StorageFile):
    """Reads the rows of a database in the order of their times.

    Args:
        path: The file.
        read_errors: Where damage is noted.

    Raises:
        DataError: It is not a bag's database.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path, read_errors: ReadErrors) -> None:
        self.path = path
        self._losses = read_errors
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        if not head.startswith(MAGIC):
            raise DataError("is not an SQLite database")
        if path.stat().st_size < _promised_bytes(head):
            self._note("is shorter than it says; it was cut off")
        self._database = _connected(path, self._note)
        try:
            self._names = self._topic_names()
        except sqlite3.Error as error:
            self._database.close()
            raise DataError(f"is not a bag's database ({error})") from error
        self._rows = self._readable_rows()
        counts = Counter(topic for _, _, topic in self._rows)
        self.topics = tuple(
            Topic(name, kind, counts[key], encoding, qos)
            for key, (name, kind, encoding, qos) in self._names.items()
        )
        self.start_ns = self._rows[0][0] if self._rows else NEVER_NS
        self.end_ns = self._rows[-1][0] if self._rows else None

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records of these topics with start <= time < end in the order of time."""
        wanted = {key for key, (name, *_) in self._names.items() if name in topics}
        lost = 0
        for time_ns, row, topic in self._rows:
            if time_ns < start_ns or (end_ns is not None and time_ns >= end_ns):
                continue
            if topic not in wanted:
                continue
            data = self._data(row)
            if data is None:
                lost += 1
                continue
            name, kind, encoding, _ = self._names[topic]
            yield Record(name, kind, time_ns, data, encoding)
        if lost:
            self._note(f"unreadable: {counted(lost, 'message')}")

    def _topic_names(self) -> dict[int, tuple[str, str, str, str]]:
        """Name, type, encoding and quality of service of the topics by id."""
        columns = {str(row[1]) for row in self._database.execute("PRAGMA table_info(topics)")}
        encoding = "serialization_format" if "serialization_format" in columns else "'cdr'"
        qos = "offered_qos_profiles" if "offered_qos_profiles" in columns else "''"
        query = f"SELECT id, name, type, {encoding}, {qos} FROM topics"
        rows = self._database.execute(query).fetchall()
        whole = [row for row in rows if tuple(map(type, row[:3])) == (int, str, str)]
        if len(whole) < len(rows):
            self._note(f"unreadable: {counted(len(rows) - len(whole), 'topic')}")
        return {
            key: (name, kind, str(told or "cdr"), str(qos or ""))
            for key, name, kind, told, qos in whole
        }

    def _readable_rows(self) -> list[Row]:
        """Rows by time; a row whose time is no number or whose topic is unknown is not one."""
        # SQLite keeps what it is given, whatever the column's type says.
        query = "SELECT timestamp, id, topic_id FROM messages"
        try:
            found = self._database.execute(query).fetchall()
        except sqlite3.Error as error:
            self._note(f"damaged ({error}); read row by row, as far as it goes")
            found = list(self._rows_one_by_one())
        rows = [row for row in found if isinstance(row[0], int) and row[2] in self._names]
        if len(rows) < len(found):
            self._note(f"unreadable: {counted(len(found) - len(rows), 'message')}")
        return sorted(rows)

    def _rows_one_by_one(self) -> Iterator[Row]:
        query = "SELECT timestamp, id, topic_id FROM messages WHERE id = ?"
        number, misses, lost = 0, 0, 0
        while misses < MOST_MISSES:
            number += 1
            try:
                found = self._database.execute(query, (number,)).fetchone()
            except sqlite3.Error:
                found = None
            if found is None:
                misses += 1
                continue
            lost, misses = lost + misses, 0
            yield found
        if lost:
            self._note(f"unreadable: {counted(lost, 'message')}")

    def _data(self, row: int) -> bytes | None:
        query = "SELECT data FROM messages WHERE id = ?"
        try:
            found = self._database.execute(query, (row,)).fetchone()
        except sqlite3.Error:
            return None
        return found[0] if found is not None and isinstance(found[0], bytes) else None

    def _note(self, what: str) -> None:
        self._losses.note(f"{self.path.name}: {what}")


def _promised_bytes(head: bytes) -> int:
    """Size of a database by its header; https://www.sqlite.org/fileformat.html, 1.3."""
    page_bytes = int.from_bytes(head[16:18], "big")
    return int.from_bytes(head[28:32], "big") * (1 << 16 if page_bytes == 1 else page_bytes)


def _connected(path: Path, note: Callable[[str], None]) -> sqlite3.Connection:
    """Open a database for reading, with what a killed recorder left beside it."""
    log = path.with_name(path.name + "-wal")
    uri = path.absolute().as_uri()
    if log.is_file() and log.stat().st_size:
        database = sqlite3.connect(f"{uri}?mode=ro", uri=True, check_same_thread=False)
        try:
            database.execute("SELECT 1 FROM topics LIMIT 1")
            return database
        except sqlite3.Error as error:
            database.close()
            note(f"its last messages are in {log.name}, which cannot be read ({error})")
    database = sqlite3.connect(f"{uri}?immutable=1", uri=True, check_same_thread=False)
    # Without it SQLite refuses a file that is shorter than its header says.
    database.execute("PRAGMA writable_schema = ON")
    database.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    return database
