# SPDX-License-Identifier: Apache-2.0
"""A bag open for labelling, wherever it lies: one source per camera, and all of its records."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import DataError, listed
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.fleet import remote
from panoptic_ros.fleet.parts.cut import Cut, Part, parts_of
from panoptic_ros.recordings.bag import BagSource, image_topics, unread_images
from panoptic_ros.recordings.camera_topics import one_for_each_camera, without_depth
from panoptic_ros.recordings.open import is_bag, open_source
from panoptic_ros.recordings.open_bag import OpenBag, OpenFiles
from panoptic_ros.recordings.result_topics import published_topics
from panoptic_ros.recordings.source import ReadErrors, RecordedFrame, Source, TimeRange
from panoptic_ros.recordings.storage.decode import IMAGE_TYPES
from panoptic_ros.recordings.storage.mcap_file import McapFile
from panoptic_ros.recordings.storage.record import Record, StorageFile, Topic

_MCAP = ".mcap"
_SHARED_MEMORY = ".db3-shm"


class NoImagesError(Exception):
    """A bag is whole and holds no images: there is nothing to label."""


class OpenedBag(Closing):
    """The cameras of one bag; used by one thread, closed by its owner.

    MCAP files are read where they lie, by their chunk index; of an object store any other bag is
    copied first.

    Args:
        uri: Address of a bag, or of a video.
        scratch: Folder for the copy.
        scratch_bytes: Bytes that it may take.

    Attributes:
        topics: What the bag holds; empty for a video.
        span_ns: Time of its first and of its last message; None where that is not known.
        breaks_ns: Times at which its chunks begin; empty where it has none.

    Raises:
        ConfigError: A library is not installed.
        DataError: It cannot be found or read.
    """

    def __init__(self, uri: str, scratch: Path, scratch_bytes: int) -> None:
        self._stack = ExitStack()
        self._streams: list[remote.RemoteStream] = []
        self._open_files: OpenFiles | None = None
        self.topics: list[Topic] = []
        self.span_ns: tuple[int, int] | None = None
        self.breaks_ns: tuple[int, ...] = ()
        self._is_copy = False
        self._path = self._found(uri, scratch, scratch_bytes)
        self._is_bag = self._open_files is not None or is_bag(self._path)
        self.read_errors = ReadErrors()
        if self._is_bag:
            with OpenBag(self._path, self.read_errors, self._open_files) as bag:
                self.topics = bag.topics()
                self.span_ns, self.breaks_ns = bag.span_ns, bag.breaks_ns

    def close(self) -> None:
        """Close all files."""
        self._stack.close()

    @property
    def failure(self) -> str:
        """Why a request to the object store failed, empty while none did."""
        return next((stream.failure for stream in self._streams if stream.failure), "")

    def sources(self, wanted: Sequence[str], span: TimeRange | None = None) -> list[Source]:
        """Open the images of each camera.

        Args:
            wanted: Image topics, of which each counts once; empty for all.
            span: Which part of them; all of them by default.

        Raises:
            NoImagesError: The bag holds no images.
            DataError: A wanted topic is not in the bag, or it cannot be read; so where all
                images of a bag are of kinds that are not read.
        """
        if not self._is_bag:
            return [self._stack.enter_context(open_source(self._path, span=span))]
        topics = dict.fromkeys(wanted or self._cameras())
        return [self._source(topic, span or TimeRange()) for topic in topics]

    def parts(self, cut: Cut | None) -> tuple[Part, ...]:
        """Say how the bag is cut; empty where it is not.

        A bag that must be copied or whose length only reading would tell stays whole.

        Args:
            cut: How long its parts may be, None for no cuts.
        """
        return () if self._is_copy else parts_of(self.span_ns, self.breaks_ns, cut)

    def records(self, topics: Collection[str]) -> Iterator[Record]:
        """Yield the records of these topics in the order of time."""
        with OpenBag(self._path, self.read_errors, self._open_files) as bag:
            yield from bag.records(topics)

    def _source(self, topic: str, span: TimeRange) -> Source:
        source = BagSource(self._path, topic, span, self._open_files)
        return self._stack.enter_context(source)

    def _cameras(self) -> list[str]:
        """Image topics of cameras.

        Results, depth, and those that hold the images of another once more are none.
        """
        results = published_topics(self.topics)
        found = [name for name in image_topics(self.topics) if name not in results]
        if not found and not self.read_errors.is_damaged:
            if unread := unread_images(self.topics):
                raise DataError(unread)
            what = "results of a node and no camera's images" if results else "no images"
            raise NoImagesError(self._lacks(what))
        if not found:
            raise DataError(f"no image can be read: {self.read_errors.notes[0]}")
        cameras = one_for_each_camera(found)
        if len(cameras) > 1:
            with OpenBag(self._path, ReadErrors(), self._open_files) as bag:
                cameras = without_depth(bag, cameras)
        if not cameras:
            raise NoImagesError(self._lacks("depth and no camera's images"))
        return cameras

    def _lacks(self, what: str) -> str:
        """Say what was found in place of images, and what is needed."""
        there = listed(f"{topic.name} ({topic.type})" for topic in self.topics if topic.count)
        return (
            f"holds {what}; needs messages of {' or '.join(IMAGE_TYPES)}, it has "
            f"{there or 'no message'}"
        )

    def _found(self, uri: str, scratch: Path, scratch_bytes: int) -> Path:
        """Path of a bag on this machine, or the name of one that is read where it lies."""
        if not remote.is_remote(uri):
            path = remote.local_path(uri)
            if not path.exists():
                raise DataError(f"{path}: no such file or folder")
            return path
        files = _remote_mcaps(uri)
        if files:
            self._open_files = partial(self._in_place, files)
            return Path(uri.rpartition("/")[2])
        self._is_copy = True
        return remote.fetch(uri, scratch / "input", scratch_bytes)

    def _in_place(self, files: Sequence[str], read_errors: ReadErrors) -> list[StorageFile]:
        opened: list[StorageFile] = []
        for uri in files:
            stream = remote.RemoteStream(uri)
            self._streams.append(stream)
            opened.append(McapFile(Path(uri.rpartition("/")[2]), read_errors, stream.as_file()))
        return opened


def by_time(sources: Sequence[Source]) -> Iterator[tuple[int, RecordedFrame]]:
    """Yield the frames of several cameras in the order of time, with the place of the camera.

    A camera of which nothing can be read has it noted in its ``read_errors``.
    """

    def of(place: int) -> Iterator[tuple[int, int, RecordedFrame]]:
        try:
            for recorded in sources[place].frames():
                yield recorded.time_ns, place, recorded
        except DataError as error:
            sources[place].read_errors.note(str(error))

    streams = [of(place) for place in range(len(sources))]
    for _, place, recorded in heapq.merge(*streams, key=lambda entry: entry[:2]):
        yield place, recorded


def fingerprint(uri: str) -> str:
    """Tell a version of a bag from every other one: etag, or size and time of change.

    Raises:
        ConfigError: A library is not installed.
        DataError: It cannot be found.
    """
    if remote.is_remote(uri):
        return remote.fingerprint(uri)
    path = remote.local_path(uri)
    try:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        # Reading a database that has a write-ahead log makes or changes SQLite's index of it.
        files = [file for file in files if not file.name.endswith(_SHARED_MEMORY)]
        stats = [(file.name, file.stat()) for file in files if file.is_file() or file == path]
    except OSError as error:
        raise DataError(f"{path}: cannot be found ({error.strerror})") from error
    return str([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])


def _remote_mcaps(uri: str) -> list[str]:
    """Files of a bag that is read where it lies; empty for any other."""
    if uri.lower().endswith(_MCAP):
        return [uri]
    opened, path = remote.file_system(uri)
    try:
        files = sorted(opened.find(path)) if opened.isdir(path) else []
    except Exception as error:  # every file system has an error tree of its own
        raise DataError(f"{uri}: cannot be listed ({reason_of(error)})") from error
    parts = [file for file in files if not file.endswith((".yaml", ".json"))]
    if not parts or not all(file.lower().endswith(_MCAP) for file in parts):
        return []
    return [remote.full_address(uri, file) for file in parts]
