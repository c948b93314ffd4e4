# SPDX-License-Identifier: Apache-2.0
"""Times for tracking out of the stamps of images, of which some cameras send none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from panoptic_ros.core.continuity import is_zero_a_time
from panoptic_ros.core.types import Frame


class StampClock:
    """Says when the images of one camera were taken; used by the worker's thread.

    Args:
        camera: Its name.
        now_ns: The node's clock.
        warn: Takes the one warning about a camera without stamps.
    """

    def __init__(
        self, camera: str, now_ns: Callable[[], int], warn: Callable[[str], object]
    ) -> None:
        self._camera = camera
        self._now_ns = now_ns
        self._warn = warn
        self._has_warned = False
        self._last_ns: int | None = None

    def timed(self, frame: Frame) -> Frame:
        """Give a frame the node's time where its stamp is 0, which means that there is none.

        It is a time in the first image and where simulated time, or a video, begins again.
        """
        last_ns, self._last_ns = self._last_ns, frame.stamp_ns
        if frame.stamp_ns or last_ns is None or is_zero_a_time(last_ns):
            return frame
        if not self._has_warned:
            self._has_warned = True
            self._warn(
                f"{self._camera}: images come without a stamp (it is 0); objects are followed by "
                "this node's clock, and nothing can be synchronised with them: set the stamp in "
                "the camera's driver"
            )
        return replace(frame, stamp_ns=self._now_ns())

    def age_ms(self, stamp_ns: int) -> float:
        """Milliseconds that have passed since a stamp."""
        return (self._now_ns() - stamp_ns) / 1e6
