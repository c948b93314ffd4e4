# SPDX-License-Identifier: Apache-2.0
"""Write ROS 2 messages to one MCAP file that Foxglove and ``ros2 bag`` open, without ROS."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.files.output import unwritten
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.topics import is_latched
from panoptic_ros.messages.vision_definitions import VISION_DEFINITIONS
from panoptic_ros.recordings.offered_qos import topic_qos
from panoptic_ros.recordings.storage.mcap_file import has_messages


class BagWriter(Closing):
    """Writes one ``.mcap`` file, definitions and index included; used by one thread.

    Where the block that owns the writer fails, a file that was there stays. Where there was none,
    what was written so far is kept.

    Args:
        path: The file to make; one that exists is replaced when the bag is complete.
        keeps_unfinished: Whether this is a recording, which cannot be made again: what was
            written replaces the file when the block fails, too, and what an earlier run had
            written that was killed is put aside; else that is deleted.

    Attributes:
        part: The file while it is written.
        unfinished: What was put aside, None where there was nothing.

    Raises:
        ConfigError: ``rosbags`` is not installed, or the name does not end in ``.mcap``.
        DataError: The place cannot be written.
    """

    def __init__(self, path: Path, keeps_unfinished: bool = False) -> None:
        if path.suffix != ".mcap":
            raise ConfigError(f"{path}: the result is written as MCAP; name it {path.stem}.mcap")
        self._path = path
        # rosbags makes a folder and names the file in it, and in its metadata, after the folder.
        self._scratch = path.with_name(path.name + ".part")
        self._folder = self._scratch / path.stem
        self.part = self._folder / path.name
        self.unfinished: Path | None = None
        self._keeps_unfinished = keeps_unfinished
        self._connections: dict[str, Any] = {}
        self._writer: Any = None
        self._lock = self._locked()
        if keeps_unfinished:
            self._put_aside()
        try:
            self._writer = self._opened()
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            os.close(self._lock)
            raise

    def _locked(self) -> int:
        """Keep the place for this writer; two that write the same file spoil each other's."""
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._scratch, os.O_RDONLY)
        except OSError as error:
            raise DataError(unwritten(self._path, error)) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise DataError(
                f"{self._path}: another run is writing it; wait for it, or name another place"
            ) from error
        return handle

    def _put_aside(self) -> None:
        """Give what a killed run has written a name of its own, if there are messages in it.

        Raises:
            DataError: It cannot be renamed; it stays where it is.
        """
        try:
            if not has_messages(self.part):
                return
            names = (f"{self._path.stem}.unfinished-{number}.mcap" for number in count(1))
            free = (self._path.with_name(name) for name in names)
            self.unfinished = next(place for place in free if not place.exists())
            self.part.replace(self.unfinished)
        except OSError as error:
            os.close(self._lock)
            raise DataError(
                f"{self.part}: what an earlier run recorded cannot be renamed ({error.strerror}); "
                "move it away"
            ) from error

    def _opened(self) -> Any:
        _rosbags()
        from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

        try:
            shutil.rmtree(self._folder, ignore_errors=True)
            writer = Writer(
                self._folder, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP
            )
            # The whole chunk is packed by the storage: that is what Foxglove and rosbag2 expect.
            writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
            writer.open()
        except OSError as error:
            raise DataError(unwritten(self._path, error)) from error
        return writer

    def write(self, topic: str, message: Any, time_ns: int) -> None:
        """Append a message.

        Args:
            topic: Full topic name.
            message: A message of ``typestore()``.
            time_ns: When it was made.
        """
        kind = message.__msgtype__
        self.write_raw(topic, kind, typestore().serialize_cdr(message, kind), time_ns)

    def write_raw(
        self,
        topic: str,
        kind: str,
        data: bytes | memoryview,
        time_ns: int,
        qos: Sequence[Any] = (),
    ) -> None:
        """Append a message that is serialised already.

        Args:
            topic: Full topic name.
            kind: Type name like ``sensor_msgs/msg/Image``.
            data: CDR with its 4 bytes of encapsulation header.
            time_ns: When it was made.
            qos: Profiles of the topic's publishers, see ``offered_qos``; empty for that of a
                topic of the node.

        Raises:
            DataError: It cannot be written.
        """
        if topic not in self._connections:
            profiles = qos or [topic_qos(is_latched(topic))]
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=typestore(), offered_qos_profiles=profiles
            )
        try:
            self._writer.write(self._connections[topic], time_ns, data)
        except OSError as error:
            raise DataError(unwritten(self._path, error)) from error

    def abandon(self) -> None:
        """Put what was written in its place only where it replaces nothing, or is a recording."""
        if self._connections and (self._keeps_unfinished or not self._path.exists()):
            self.close()
        else:
            self._discard()

    def _discard(self) -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        with suppress(OSError):
            writer.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
        os.close(self._lock)

    def close(self) -> None:
        """Write the index and put the file in its place; safe to call twice.

        A recording without a message does not replace another.

        Raises:
            DataError: It cannot be written; then nothing of it is left.
        """
        if self._keeps_unfinished and not self._connections and self._path.exists():
            self._discard()
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        try:
            writer.close()
            storage = next(self._folder.glob("*.mcap"))
            storage.replace(self._path)
        except OSError as error:
            raise DataError(unwritten(self._path, error)) from error
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)
            os.close(self._lock)


def bag_types() -> MessageTypes:
    """Messages that ``BagWriter.write`` takes, for ``topics.build_messages``."""
    return MessageTypes(typestore().types.__getitem__, _to_bytes)


def _to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)


@cache
def typestore() -> Any:
    """The ROS 2 messages that results are made of, ``vision_msgs`` included."""
    _rosbags()
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in VISION_DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    return store


def _rosbags() -> None:
    try:
        import rosbags.rosbag2  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "bags need rosbags, which is not installed; run: pip install rosbags"
        ) from error
