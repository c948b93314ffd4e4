# SPDX-License-Identifier: Apache-2.0
"""Times for tracking out of the stamps of images, of which some cameras send none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from panoptic_ros.core.types import Frame


class Stamps:
    """Watches the stamps of each camera's images; used by the worker's thread.

    Args:
        now_ns: The node's clock.
        warn: Takes the one warning about a camera without stamps.
    """

    def __init__(self, now_ns: Callable[[], int], warn: Callable[[str], object]) -> None:
        self._now_ns = now_ns
        self._warn = warn
        self._last_ns: dict[str, int] = {}
        self._unstamped: set[str] = set()

    def timed(self, camera: str, frame: Frame) -> Frame:
        """Give a frame the node's time where its stamp is 0, which means that there is none."""
        if frame.stamp_ns:
            return frame
        if camera not in self._unstamped:
            self._unstamped.add(camera)
            self._warn(
                f"{camera}: images come without a stamp (it is 0); objects are followed by this "
                "node's clock, and nothing can be synchronised with them: set the stamp in the "
                "camera's driver"
            )
        return replace(frame, stamp_ns=self._now_ns())

    def jumps_back(self, camera: str, stamp_ns: int) -> bool:
        """Note a stamp; says whether it lies before the camera's last one."""
        before, self._last_ns[camera] = self._last_ns.get(camera, stamp_ns), stamp_ns
        return stamp_ns < before
