# SPDX-License-Identifier: Apache-2.0
"""Which images of a camera are taken where not all are wanted."""

from __future__ import annotations

_EARLY = 0.1
"""Share of a period by which an image may come early: stamps of cameras jitter."""


class RateLimit:
    """Thins out the images of one camera, evenly and by their stamps; used by one thread.

    Args:
        rate_hz: Most images a second, 0 for all.

    Attributes:
        rate_hz: The same.
    """

    def __init__(self, rate_hz: float = 0.0) -> None:
        self.rate_hz = rate_hz
        self._due_ns: int | None = None
        self._last_ns = 0

    def admits(self, stamp_ns: int) -> bool:
        """Whether an image is taken.

        Args:
            stamp_ns: Its time. One before that of the last image that was taken is let through:
                ``Continuity`` judges those.

        >>> limit = RateLimit(10.0)
        >>> [number for number in range(10) if limit.admits(number * 33_333_333)]
        [0, 3, 6, 9]
        """
        if self.rate_hz <= 0:
            return True
        period_ns = 1e9 / self.rate_hz
        is_back = stamp_ns < self._last_ns
        if self._due_ns is None or is_back:
            self._due_ns = stamp_ns
        if stamp_ns < self._due_ns - _EARLY * period_ns:
            return False
        # On time the next one is due a period after this one was; after a gap, from here on.
        base_ns = self._due_ns if stamp_ns - self._due_ns < period_ns else stamp_ns
        self._due_ns, self._last_ns = round(base_ns + period_ns), stamp_ns
        return True
