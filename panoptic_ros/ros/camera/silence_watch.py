# SPDX-License-Identifier: Apache-2.0
"""Says once that a camera's images do not come, and which image topics there are instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

AFTER_S = 5.0
"""Without an image for so long is told."""


class SilenceWatch:
    """Looks at one camera; used by the executor's thread.

    Args:
        camera: Its name.
        warn: Told once of every silence.
        info: Told when images come after a silence.
        now_s: The steady clock.
    """

    def __init__(
        self,
        camera: str,
        warn: Callable[[str], object],
        info: Callable[[str], object],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._warn = warn
        self._info = info
        self._now_s = now_s
        self._since_s = now_s()
        self._is_told = False

    def note(self) -> None:
        """Note that an image came."""
        self._since_s = self._now_s()

    def look(
        self, topic: str, senders: Sequence[str], others: Callable[[], Sequence[str]]
    ) -> None:
        """Judge the silence.

        Args:
            topic: Where images are expected.
            senders: Full names of the nodes that publish there.
            others: Lists the image topics that there are; asked only where something is said.
        """
        silent_s = self._now_s() - self._since_s
        if silent_s < AFTER_S:
            if self._is_told:
                self._info(f"{self._camera}: images come on {topic}")
            self._is_told = False
        elif not self._is_told:
            self._is_told = True
            self._warn(
                f"{self._camera}: no image on {topic} for {silent_s:.0f} s; "
                f"{_reason(senders, others())}"
            )


def _reason(senders: Sequence[str], others: Sequence[str]) -> str:
    if senders:
        return (
            f"{' and '.join(senders)} publishes there: does it send, with a QoS that fits, and "
            "with the transport profile (docs/transport.md)?"
        )
    if others:
        return f"nobody publishes images there; image topics there are: {', '.join(others)}"
    return "nobody publishes images there, nor on any other topic"
