# SPDX-License-Identifier: Apache-2.0
"""A bag that is open for reading, by its index or, where that is lost, record by record."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.recordings.bag_part import BagPart, Record, RosbagsPart, Topic, storage_files
from panoptic_ros.recordings.recover import RecoveredPart
from panoptic_ros.recordings.source import ReadErrors


class OpenBag(Closing):
    """The pieces of a bag, in order; what cannot be read is noted.

    Args:
        path: ``.mcap``, ``.db3``, ``.bag``, or the folder of a ROS 2 bag.
        losses: Where damage is noted.

    Raises:
        ConfigError: ``rosbags`` is not installed.
        DataError: Nothing can be read.
    """

    def __init__(self, path: Path, losses: ReadErrors) -> None:
        self._path = path
        self._losses = losses
        self._stack = ExitStack()
        try:
            self._parts = self._opened()
        except BaseException:
            self._stack.close()
            raise

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    def topics(self) -> list[Topic]:
        """List the topics of all pieces; one may occur in several."""
        return [topic for part in self._parts for topic in part.topics]

    def records(
        self, topics: Collection[str], start_ns: int = 0, end_ns: int | None = None
    ) -> Iterator[Record]:
        """Yield the records of these topics with start <= time < end."""
        for part in self._parts:
            yield from part.records(topics, start_ns, end_ns)

    def _opened(self) -> list[BagPart]:
        if self._path.is_dir() and (self._path / "metadata.yaml").is_file():
            whole = self._with_index(self._path)
            if whole is not None:
                return [whole]
        files = [self._path] if self._path.is_file() else storage_files(self._path)
        found = [self._with_index(file) or self._without_index(file) for file in files]
        parts = [part for part in found if part is not None]
        if not parts:
            why = "; ".join(self._losses.notes) or "the .mcap or .db3 files are missing"
            raise DataError(f"{self._path}: nothing can be read: {why}")
        return parts

    def _with_index(self, path: Path) -> BagPart | None:
        try:
            return self._stack.enter_context(RosbagsPart(path, self._losses))
        except ConfigError:
            raise
        except Exception as error:  # rosbags raises whatever its parser trips over
            self._losses.note(f"{path.name}: {describe(error)}")
            return None

    def _without_index(self, file: Path) -> BagPart | None:
        part = RecoveredPart(file, self._losses)
        if any(topic.count for topic in part.topics):
            self._losses.note(f"{file.name}: read without its index, as far as it goes")
            return part
        return None


def describe(error: Exception) -> str:
    """One line about an error of another library."""
    return " ".join(str(error).split()) or type(error).__name__
