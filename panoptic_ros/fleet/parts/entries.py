# SPDX-License-Identifier: Apache-2.0
"""What became of the frames of one camera in one part, one entry after the other in a file."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import DataError, FrameError, LateFrameError
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame
from panoptic_ros.fleet.parts.stored_result import pack, unpack
from panoptic_ros.recordings.source import RecordedFrame

_HEAD = struct.Struct("<qqBI")
_RESULT, _LATE, _UNUSABLE = range(3)


@dataclass(frozen=True)
class Entry:
    """One frame.

    Attributes:
        time_ns: When the bag received it.
        stamp_ns: Of its header.
        kind: Whether there is a result.
        content: The result, or in words why there is none.
    """

    time_ns: int
    stamp_ns: int
    kind: int
    content: bytes

    def is_of(self, recorded: RecordedFrame) -> bool:
        """Whether it tells of this frame."""
        return (self.time_ns, self.stamp_ns) == (recorded.time_ns, recorded.frame.stamp_ns)

    def result(self, frame: Frame, labels: LabelSet) -> Result:
        """Give the frame's result, as the pipeline gave it when the part was labelled.

        Raises:
            LateFrameError, FrameError: There was none for that reason.
            DataError: It cannot be read.
        """
        if self.kind == _LATE:
            raise LateFrameError(self.content.decode())
        if self.kind == _UNUSABLE:
            raise FrameError(self.content.decode())
        try:
            return unpack(self.content, frame, labels)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise DataError(f"the stored result of a frame is damaged ({error})") from error


class EntryWriter(Closing):
    """Writes the entries of one camera; the owner closes it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def result(self, recorded: RecordedFrame, result: Result) -> None:
        """Note a frame's result."""
        self._write(recorded, _RESULT, pack(result))

    def none(self, recorded: RecordedFrame, error: FrameError) -> None:
        """Note why a frame has no result."""
        kind = _LATE if isinstance(error, LateFrameError) else _UNUSABLE
        self._write(recorded, kind, str(error).encode())

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()

    def _write(self, recorded: RecordedFrame, kind: int, content: bytes) -> None:
        head = _HEAD.pack(recorded.time_ns, recorded.frame.stamp_ns, kind, len(content))
        self._file.write(head + content)


class EntryReader(Closing):
    """Reads the entries of one camera in their order; the owner closes it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")

    def next(self) -> Entry | None:
        """Read the next entry; None at the end of the file.

        Raises:
            DataError: The file is cut off.
        """
        head = self._file.read(_HEAD.size)
        if not head:
            return None
        try:
            time_ns, stamp_ns, kind, size = _HEAD.unpack(head)
        except struct.error as error:
            raise DataError("a file of stored results is cut off") from error
        content = self._file.read(size)
        if len(content) < size:
            raise DataError("a file of stored results is cut off")
        return Entry(time_ns, stamp_ns, kind, content)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()
