# SPDX-License-Identifier: Apache-2.0
"""Says when many images of a camera are lost on their way: on which topic, by whom, what helps."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

WINDOW_S = 5.0
_MOST_LOST = 0.1
_FEW_LOST = 0.05
_LEAST_IMAGES = 10
"""Fewer say nothing about a share."""


class LossWatch:
    """Looks at the last seconds of one camera; used by the executor's thread.

    It warns once when more than a tenth is lost, and again after fewer than a twentieth were.

    Args:
        camera: Its name.
        cure: What to do about lost images.
        warn: Takes the warning.
        now_s: The steady clock.

    Attributes:
        problem: The warning while it holds, else empty.
    """

    def __init__(
        self,
        camera: str,
        cure: str,
        warn: Callable[[str], object],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem = ""
        self._camera = camera
        self._cure = cure
        self._warn = warn
        self._now_s = now_s
        self._recent: deque[tuple[float, int]] = deque()

    def note(self, lost: int) -> None:
        """Note an image that came.

        Args:
            lost: How many were lost between it and the one before.
        """
        self._recent.append((self._now_s(), lost))

    def look(self, topic: str, senders: Sequence[str]) -> None:
        """Judge the last seconds.

        Args:
            topic: Where the images come from.
            senders: Full names of the nodes that publish there.
        """
        while self._recent and self._recent[0][0] < self._now_s() - WINDOW_S:
            self._recent.popleft()
        lost = sum(count for _, count in self._recent)
        sent = lost + len(self._recent)
        if sent < _LEAST_IMAGES or lost < _FEW_LOST * sent:
            self.problem = ""
        elif self.problem or lost > _MOST_LOST * sent:
            is_told = bool(self.problem)
            whose = " or ".join(senders) or "a node that is gone"
            self.problem = (
                f"{lost} of {sent} images on {topic} were lost on their way within "
                f"{WINDOW_S:g} s; they are sent by {whose}: {self._cure}"
            )
            if not is_told:
                self._warn(f"{self._camera}: {self.problem}")
