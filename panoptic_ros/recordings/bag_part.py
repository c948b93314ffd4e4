# SPDX-License-Identifier: Apache-2.0
"""One readable piece of a bag: a file, or a folder with its index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.recordings.source import ReadErrors


@dataclass(frozen=True)
class Topic:
    """A topic of a bag; ``type`` in ROS 2 spelling (``sensor_msgs/msg/Image``)."""

    name: str
    type: str
    count: int


@dataclass(frozen=True, eq=False)
class Record:
    """One message as the bag holds it: CDR, or ROS 1's own format."""

    topic: str
    type: str
    time_ns: int
    data: bytes
    is_ros1: bool


class BagPart(ABC):
    """Yields the records of some topics in the order of time."""

    topics: tuple[Topic, ...]

    @abstractmethod
    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records of these topics with start <= time < end; damage is noted."""


class RosbagsPart(BagPart, AbstractContextManager["RosbagsPart"]):
    """A bag whose index can be read.

    Args:
        path: File, or folder with ``metadata.yaml``.
        losses: Where damage met on the way is noted.

    Raises:
        ConfigError: ``rosbags`` is not installed.
        Exception: Whatever ``rosbags`` says about a damaged file.
    """

    def __init__(self, path: Path, losses: ReadErrors) -> None:
        self._path = path
        self._losses = losses
        self._is_ros1 = path.suffix == ".bag" and path.is_file()
        self._reader = _reader(path, self._is_ros1)
        self._reader.open()
        self.topics = tuple(
            Topic(connection.topic, connection.msgtype, connection.msgcount)
            for connection in self._reader.connections
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records; where the index lies, go on with what can be recovered."""
        last_ns = start_ns - 1
        try:
            for record in self._indexed(topics, start_ns, end_ns):
                last_ns = record.time_ns
                yield record
        except Exception as error:  # rosbags raises whatever its parser trips over
            words = " ".join(str(error).split()) or type(error).__name__
            self._losses.note(f"{self._path.name}: damaged ({words})")
            yield from self._recovered(topics, last_ns + 1, end_ns)

    def _indexed(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        wanted = [entry for entry in self._reader.connections if entry.topic in topics]
        if not wanted:
            return
        for connection, time_ns, data in self._reader.messages(wanted, start_ns, end_ns):
            # SQLite keeps what it is given, whatever the column's type says.
            if not isinstance(time_ns, int):
                raise ValueError(f"a message has the time {str(time_ns)[:20]!r}")
            yield Record(connection.topic, connection.msgtype, time_ns, data, self._is_ros1)

    def _recovered(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        from panoptic_ros.recordings.recover import RecoveredPart

        files = [self._path] if self._path.is_file() else storage_files(self._path)
        for file in files:
            yield from RecoveredPart(file, self._losses).records(topics, start_ns, end_ns)


def storage_files(folder: Path) -> list[Path]:
    """List the storage files of a ROS 2 bag's folder, in the order they were written."""
    found = (child for child in folder.iterdir() if child.suffix in (".mcap", ".db3"))
    return sorted(found, key=lambda path: (len(path.name), path.name))


def _reader(path: Path, is_ros1: bool) -> Any:
    try:
        from rosbags import rosbag1, rosbag2
    except ImportError as error:
        raise ConfigError(
            "bags need rosbags, which is not installed; run: pip install rosbags"
        ) from error
    return rosbag1.Reader(path) if is_ros1 else rosbag2.Reader(path)
