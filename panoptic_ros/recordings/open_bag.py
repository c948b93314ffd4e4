# SPDX-License-Identifier: Apache-2.0
"""A bag that is open for reading: its storage files put together by time."""

from __future__ import annotations

import re
import sqlite3
import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.recordings.source import ReadErrors, describe
from panoptic_ros.recordings.storage import mcap_records, recover_ros1, sqlite_file, zstd
from panoptic_ros.recordings.storage.mcap_file import McapFile
from panoptic_ros.recordings.storage.metadata import Metadata
from panoptic_ros.recordings.storage.packed_file import PackedFile, UnpackedFiles, plain_name
from panoptic_ros.recordings.storage.record import Record, StorageFile, Topic, merged
from panoptic_ros.recordings.storage.ros1_file import Ros1File
from panoptic_ros.recordings.storage.sqlite_file import SqliteFile

Opener = Callable[[Path, ReadErrors], StorageFile]
OpenFiles = Callable[[ReadErrors], Sequence[StorageFile]]
"""Opens the storage files of a bag that is not in the file system."""

_BY_SUFFIX: dict[str, Opener] = {".mcap": McapFile, ".db3": SqliteFile, ".bag": Ros1File}
_BY_MAGIC: dict[bytes, Opener] = {
    mcap_records.MAGIC: McapFile,
    sqlite_file.MAGIC: SqliteFile,
    recover_ros1.MAGIC: Ros1File,
}
_DAMAGE = (struct.error, ValueError, KeyError, EOFError, OSError, sqlite3.Error, MemoryError)

BAG_SUFFIXES = tuple(_BY_SUFFIX)
ROS2_SUFFIXES = BAG_SUFFIXES[:2]


class OpenBag(Closing):
    """The storage files of a bag; what cannot be read is noted.

    The files are believed: ``metadata.yaml`` is compared with them, and what does not fit is one
    note. Records come in the order of time, whatever the order of the files is.

    Args:
        path: A storage file, packed or not, or the folder of a ROS 2 bag.
        read_errors: Where damage is noted.
        open_files: Opens the files where ``path`` only names them.

    Raises:
        ConfigError: A library is not installed.
        DataError: Nothing can be read.
    """

    def __init__(
        self, path: Path, read_errors: ReadErrors, open_files: OpenFiles | None = None
    ) -> None:
        self._path = path
        self._losses = read_errors
        self._stack = ExitStack()
        self._unpacked = UnpackedFiles(open_plain)
        self._stack.callback(self._unpacked.close)
        try:
            self._files = self._opened() if open_files is None else self._given(open_files)
        except BaseException:
            self._stack.close()
            raise

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """Time of the first and of the last message; None where only reading would tell."""
        ends = [file.end_ns for file in self._files if any(t.count for t in file.topics)]
        known = [end for end in ends if end is not None]
        if not known or len(known) < len(ends):
            return None
        return min(file.start_ns for file in self._files), max(known)

    @property
    def breaks_ns(self) -> tuple[int, ...]:
        """Times at which what is read as a whole begins, such as the chunks of the files."""
        return tuple(break_ns for file in self._files for break_ns in file.breaks_ns)

    def topics(self) -> list[Topic]:
        """List the topics of all files; one may occur in several."""
        return [topic for file in self._files for topic in file.topics]

    def records(
        self, topics: Collection[str], start_ns: int = 0, end_ns: int | None = None
    ) -> Iterator[Record]:
        """Yield the records of these topics with start <= time < end in the order of time."""
        streams = [
            (file.start_ns, partial(self._guarded, file, topics, start_ns, end_ns))
            for file in self._files
            if any(topic.name in topics for topic in file.topics)
        ]
        for record in merged(streams):
            yield self._unpacked_message(record)

    def _guarded(
        self, file: StorageFile, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield a file's records up to damage that ends it."""
        try:
            yield from file.records(topics, start_ns, end_ns)
        except (*_DAMAGE, DataError) as error:
            self._losses.note(f"{file.path.name}: nothing more can be read ({describe(error)})")

    def _unpacked_message(self, record: Record) -> Record:
        """Unpack a message that was packed by itself; rosbag2's compression mode "message"."""
        if record.encoding != "cdr" or not record.data.startswith(zstd.MAGIC):
            return record
        try:
            return replace(record, data=zstd.unpack(record.data))
        except ConfigError:
            raise
        except Exception as error:  # the library's own error tree
            self._losses.note(f"{record.topic}: a message cannot be unpacked ({describe(error)})")
            return record

    def _given(self, open_files: OpenFiles) -> list[StorageFile]:
        files = list(open_files(self._losses))
        for file in files:
            self._stack.enter_context(file)
        return files

    def _opened(self) -> list[StorageFile]:
        if self._path.is_file():
            found = [self._file(self._path)]
        else:
            metadata = Metadata(self._path)
            places = _with_listed(self._path, storage_files(self._path), metadata.files)
            if not places:
                raise DataError(f"{self._path}: is no bag: no .mcap or .db3 file is there")
            found = [self._file(place) for place in places]
            names = [place.relative_to(self._path).as_posix() for place in places]
            readable = [file for file in found if file is not None]
            metadata.compare(readable, names, self._losses)
        files = [file for file in found if file is not None]
        if not files:
            why = "; ".join(self._losses.notes) or "the .mcap or .db3 files are missing"
            raise DataError(f"{self._path}: nothing can be read: {why}")
        return files

    def _file(self, path: Path) -> StorageFile | None:
        try:
            if is_packed(path):
                file: StorageFile = PackedFile(path, self._losses, self._unpacked)
            else:
                file = open_plain(path, self._losses)
        except (*_DAMAGE, DataError) as error:
            self._losses.note(f"{path.name}: {describe(error)}")
            return None
        self._stack.enter_context(file)
        if any(topic.count for topic in file.topics) or not self._losses.notes:
            return file
        return None


def open_plain(path: Path, read_errors: ReadErrors) -> StorageFile:
    """Open a storage file by what it is, else by its name.

    Raises:
        ConfigError: A library is not installed.
        DataError: It is not what its name says.
        OSError: It cannot be read.
    """
    begin = _first_bytes(path)
    for magic, opener in _BY_MAGIC.items():
        if begin.startswith(magic):
            return opener(path, read_errors)
    by_name = _BY_SUFFIX.get(path.suffix.lower())
    if by_name is None:
        raise DataError("is not a storage file of a bag")
    return by_name(path, read_errors)


def is_storage_file(path: Path) -> bool:
    """Whether a file is read as a bag: by its name, or by its first bytes."""
    name = plain_name(path.name)
    if Path(name).suffix.lower() in BAG_SUFFIXES:
        return True
    return _first_bytes(path).startswith((*_BY_MAGIC, zstd.MAGIC))


def is_packed(path: Path) -> bool:
    """Whether a file is packed as a whole."""
    return plain_name(path.name) != path.name or _first_bytes(path).startswith(zstd.MAGIC)


def storage_files(folder: Path) -> list[Path]:
    """List the storage files in a ROS 2 bag's folder, numbers in their names as numbers.

    Of a file that is there packed and plain, as a recorder leaves it that is killed while it
    packs, the plain one is taken.
    """
    found = [
        child
        for child in folder.iterdir()
        if child.is_file() and Path(plain_name(child.name)).suffix.lower() in ROS2_SUFFIXES
    ]
    plain = {child.name for child in found if child.name == plain_name(child.name)}
    kept = [c for c in found if c.name in plain or plain_name(c.name) not in plain]
    return sorted(kept, key=_natural)


def _with_listed(folder: Path, found: list[Path], listed: list[str]) -> list[Path]:
    """Add the files in subfolders that ``metadata.yaml`` lists."""
    inside = folder.resolve()
    more = []
    for name in listed:
        place = folder / name
        is_below = inside in place.resolve().parents
        if is_below and place.is_file() and place not in found and place.parent != folder:
            more.append(place)
    return found + more


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(16)
