# SPDX-License-Identifier: Apache-2.0
"""The drawn street as an input, where there is no video to play."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.recordings.source import RecordedFrame, Source, TimeRange

WHOLE_S = 20.0


class DrawnSource(Source):
    """A drawn street, 1280x720 at 25 Hz.

    Args:
        span: Which part is wanted; without a duration ``WHOLE_S`` seconds.
    """

    def __init__(self, span: TimeRange) -> None:
        super().__init__(Path("drawn street"), span)
        length_s = WHOLE_S if span.duration_s is None else span.duration_s
        self._street = DrawnStreet(seconds=span.start_s + length_s)
        self._first = round(span.start_s * self._street.fps)
        self.count = len(self._street) - self._first

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images."""
        for number in range(self._first, len(self._street)):
            frame, _ = self._street.draw(number)
            yield RecordedFrame(frame, frame.stamp_ns, f"{number:06d}")
