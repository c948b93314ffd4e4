# SPDX-License-Identifier: Apache-2.0
"""A storage file packed as a whole, as rosbag2 does with compression mode "file"."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.source import ReadErrors
from panoptic_ros.recordings.storage import zstd
from panoptic_ros.recordings.storage.record import Record, StorageFile

Opener = Callable[[Path, ReadErrors], StorageFile]


class UnpackedFiles:
    """Keeps the copy that was unpacked last, and those that are being read.

    A recording may be larger than the room for temporary files, so its parts are unpacked when
    their time has come and deleted afterwards. Used by one thread.

    Args:
        opener: Opens a plain storage file.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._open: dict[Path, tuple[StorageFile, tempfile.TemporaryDirectory[str]]] = {}
        self._users: dict[Path, int] = {}

    def take(self, path: Path, read_errors: ReadErrors) -> StorageFile:
        """Open a packed file; must be given back.

        Raises:
            DataError: Nothing of it can be unpacked, or there is no room for it.
        """
        if path not in self._open:
            self._drop_unused()
            self._open[path] = self._unpacked(path, read_errors)
        self._users[path] = self._users.get(path, 0) + 1
        return self._open[path][0]

    def give_back(self, path: Path) -> None:
        """Say that a file is not read for the time being; has no effect after ``close``."""
        if path in self._users:
            self._users[path] -= 1

    def close(self) -> None:
        """Delete all copies; safe to call twice."""
        self._users.clear()
        self._drop_unused()

    def _drop_unused(self) -> None:
        for path in [path for path in self._open if not self._users.get(path)]:
            file, folder = self._open.pop(path)
            file.close()
            folder.cleanup()

    def _unpacked(
        self, path: Path, read_errors: ReadErrors
    ) -> tuple[StorageFile, tempfile.TemporaryDirectory[str]]:
        folder = tempfile.TemporaryDirectory(prefix="panoptic-")
        try:
            plain = Path(folder.name) / plain_name(path.name)
            damage = zstd.unpack_file(path, plain)
            if damage:
                read_errors.note(f"{path.name}: {damage}")
            if not plain.stat().st_size:
                raise DataError("gives nothing when it is unpacked")
            return self._opener(plain, read_errors), folder
        except OSError as error:
            folder.cleanup()
            raise DataError(
                f"cannot be unpacked in {tempfile.gettempdir()} ({error.strerror}); needs room "
                "there, or TMPDIR set to another folder"
            ) from error
        except BaseException:
            folder.cleanup()
            raise


class PackedFile(StorageFile):
    """Reads a packed storage file through its unpacked copy.

    Args:
        path: The file; its end may be missing.
        read_errors: Where damage is noted.
        unpacked: Where the copies are.

    Raises:
        DataError: Nothing of it can be unpacked, or it is no storage file.
    """

    def __init__(self, path: Path, read_errors: ReadErrors, unpacked: UnpackedFiles) -> None:
        self.path = path
        self._losses = read_errors
        self._unpacked = unpacked
        file = unpacked.take(path, read_errors)
        self.topics, self.start_ns, self.end_ns = file.topics, file.start_ns, file.end_ns
        unpacked.give_back(path)

    def close(self) -> None:
        """Leave the copy to its owner."""

    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records of these topics with start <= time < end by time."""
        file = self._unpacked.take(self.path, self._losses)
        try:
            yield from file.records(topics, start_ns, end_ns)
        finally:
            self._unpacked.give_back(self.path)


def plain_name(name: str) -> str:
    """Name of a storage file without the ending of its packing.

    >>> plain_name("drive_0.db3.zstd"), plain_name("drive_0.mcap")
    ('drive_0.db3', 'drive_0.mcap')
    """
    for suffix in zstd.SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
