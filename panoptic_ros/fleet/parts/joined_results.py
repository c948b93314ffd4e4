# SPDX-License-Identifier: Apache-2.0
"""The stored results of all parts of a bag, frame by frame, with ids that go on across parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import DataError, FrameError
from panoptic_ros.core.result import Result
from panoptic_ros.fleet.parts.cut import Part
from panoptic_ros.fleet.parts.entries import Entry, EntryReader
from panoptic_ros.fleet.parts.id_join import IdJoin, JoinedTracks
from panoptic_ros.fleet.parts.part_files import PartFiles, before_file, own_file
from panoptic_ros.recordings.source import RecordedFrame


class JoinedResults(Closing):
    """Gives the frames of one camera the results that its parts stored; used by one thread.

    Args:
        parts: Of the bag.
        files: Where their results are.
        camera: Number of the camera.
        labels: The model's classes.
        lost_after_s: How long an object may be unseen and keep its id.
        scratch: Folder for copies of an object store's files.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        files: PartFiles,
        camera: int,
        labels: LabelSet,
        lost_after_s: float,
        scratch: Path,
    ) -> None:
        self._parts, self._starts = parts, [part.start_ns for part in parts]
        self._files, self._camera, self._scratch = files, camera, scratch
        self._labels = labels
        self._tracks = JoinedTracks(lost_after_s)
        self._stack = ExitStack()
        self._number = -1
        self._join = IdJoin()
        self._start(0)

    def close(self) -> None:
        """Close the files; safe to call twice."""
        self._stack.close()

    def step(self, recorded: RecordedFrame) -> Result:
        """Give the result of the next frame.

        Args:
            recorded: The frames must come as they came when the parts were labelled.

        Raises:
            LateFrameError, FrameError: It has none for that reason.
            DataError: The parts do not have it, or cannot be read.
        """
        number = bisect_right(self._starts, recorded.time_ns) - 1
        while self._number < number:
            self._start(self._number + 1)
        entry = self._own.next()
        if entry is None or not entry.is_of(recorded):
            raise DataError(
                f"image {recorded.name} is not what part {self._number} of the bag had in its "
                "place, so the bag was not read twice in the same way; label it without --cut-s"
            )
        result = self._tracks.renumber(entry.result(recorded.frame, self._labels))
        self._compare(recorded, result)
        return result

    def _start(self, number: int) -> None:
        """Go on with the next part; what it has in common with this one is compared by now."""
        self._stack.close()
        self._tracks.start(self._join.result())
        self._number, self._join = number, IdJoin()
        self._own = self._opened(own_file(number, self._camera))
        self._next: EntryReader | None = None
        self._seen_next: Entry | None = None

    def _compare(self, recorded: RecordedFrame, result: Result) -> None:
        """Compare with what the next part says about the same frame, if it has seen it."""
        if self._number + 1 == len(self._parts):
            return
        if recorded.time_ns < self._parts[self._number + 1].read_from_ns:
            return
        if self._next is None:
            self._next = self._opened(before_file(self._number + 1, self._camera))
            self._seen_next = self._next.next()
        while self._seen_next is not None and self._seen_next.time_ns < recorded.time_ns:
            self._seen_next = self._next.next()
        if self._seen_next is not None and self._seen_next.is_of(recorded):
            with suppress(FrameError):  # the next part could not use the frame, this one could
                later = self._seen_next.result(recorded.frame, self._labels)
                self._join.update(result, later)

    def _opened(self, name: str) -> EntryReader:
        path = self._files.path(name, self._scratch)
        if path.parent == self._scratch:
            self._stack.callback(path.unlink)
        return self._stack.enter_context(EntryReader(path))
