# SPDX-License-Identifier: Apache-2.0
"""Whether a frame goes on from the one before it: the one place that judges stamps."""

from __future__ import annotations

from enum import Enum

from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.errors import LateFrameError

LEAST_WALL_NS = 10**18
"""Clocks on the wall have passed it in 2001; those of simulators and videos begin with 0."""


def is_zero_a_time(neighbour_ns: int) -> bool:
    """Whether a stamp of 0 is a time, and not that of a camera that gives none.

    Args:
        neighbour_ns: Stamp of another image of the camera, next to the one whose stamp is 0.

    >>> is_zero_a_time(33_000_000), is_zero_a_time(0), is_zero_a_time(1_700_000_000 * 10**9)
    (True, False, False)
    """
    return 0 < neighbour_ns < LEAST_WALL_NS


class Arrival(Enum):
    """How a frame that is not late relates to the one before it; the values say it in words."""

    START = "the first frame, or the first one after a reset"
    NEXT = "the next frame"
    GAP = "a frame after a long gap"
    JUMP_BACK = "a frame of another recording: its stamp is far before the last one"
    OTHER_SIZE = "a frame with a map of another size"

    @property
    def is_new_stream(self) -> bool:
        """Whether what is known of the frames before says nothing about this one."""
        return self is not Arrival.NEXT


class Continuity:
    """Follows the stamps of one camera; used by one thread.

    Args:
        config: Says how long a gap may be, and how late a frame.
    """

    def __init__(self, config: TrackConfig) -> None:
        self._config = config
        self._last_ns: int | None = None
        self._shape: tuple[int, ...] = ()
        self._is_reset = False
        self._arrival = Arrival.START

    def configure(self, config: TrackConfig) -> None:
        """Replace the limits."""
        self._config = config

    def reset(self) -> None:
        """Take the next frame for the start of a stream."""
        self._is_reset = True

    @property
    def arrival(self) -> Arrival:
        """How the last frame came."""
        return self._arrival

    def check(self, stamp_ns: int) -> None:
        """Refuse a late frame before any work is done for it; changes nothing.

        Args:
            stamp_ns: Its time.

        Raises:
            LateFrameError: The stamp lies before the last one, but by no more than
                ``max_late_s``.
        """
        back_ns = 0 if self._last_ns is None or self._is_reset else self._last_ns - stamp_ns
        if 0 < back_ns <= _in_ns(self._config.max_late_s):
            raise LateFrameError(
                f"came late: its stamp is {back_ns / 1e6:.1f} ms before the last one of its camera"
            )

    def update(self, stamp_ns: int, shape: tuple[int, ...]) -> Arrival:
        """Judge the next frame.

        Args:
            stamp_ns: Its time.
            shape: (height, width) of its map.

        Raises:
            LateFrameError: See ``check``; the frame is as if it had not come.
        """
        self.check(stamp_ns)
        self._arrival = self._judged(stamp_ns, shape)
        self._last_ns, self._shape, self._is_reset = stamp_ns, shape, False
        return self._arrival

    def _judged(self, stamp_ns: int, shape: tuple[int, ...]) -> Arrival:
        if self._last_ns is None:
            return Arrival.START
        step_ns = stamp_ns - self._last_ns
        if step_ns < -_in_ns(self._config.max_late_s):
            return Arrival.JUMP_BACK
        if self._is_reset:
            return Arrival.START
        if step_ns > _in_ns(self._config.reset_gap_s):
            return Arrival.GAP
        return Arrival.NEXT if shape == self._shape else Arrival.OTHER_SIZE


def _in_ns(seconds: float) -> int:
    return round(seconds * 1e9)
