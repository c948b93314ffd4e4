# SPDX-License-Identifier: Apache-2.0
"""How long a piece of work lasts, not counting the time in which this process was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable


class ActiveTimer:
    """Adds up time from look to look; used by one thread.

    A look that comes much later than its period says that the process was stopped or starved (a
    debugger, a paused container, SIGSTOP): then the work could not go on either.

    Args:
        period_s: How often ``waited_s`` is asked.
        now_s: The steady clock.
    """

    def __init__(self, period_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._longest_s = 2.0 * period_s
        self._now_s = now_s
        self._looked_s = now_s()
        self._began_s: float | None = None
        self._waited_s = 0.0

    def waited_s(self, began_s: float | None) -> float:
        """Seconds for which the work that began then has been seen to last.

        Args:
            began_s: When it began, in steady time; None while there is none.

        >>> times = iter((0.0, 0.5, 1.0, 91.0, 91.5, 92.0))
        >>> timer = ActiveTimer(0.5, lambda: next(times))
        >>> [timer.waited_s(began_s) for began_s in (0.3, 0.3, 0.3, 0.3, None)]
        [0.2, 0.7, 1.7, 2.2, 0.0]
        """
        now_s, before_s = self._now_s(), self._looked_s
        self._looked_s = now_s
        if began_s != self._began_s:
            self._began_s, self._waited_s = began_s, 0.0
        if began_s is None:
            return 0.0
        passed_s = now_s - max(before_s, began_s)
        self._waited_s += min(passed_s, self._longest_s)
        return self._waited_s

    def overdue_s(self, began_s: float | None, limit_s: float) -> float:
        """Seconds for which work has lasted that takes longer than it may, else 0.

        Args:
            began_s: As for ``waited_s``, which must not be asked beside this.
            limit_s: It may take so long; 0 for any time.
        """
        waited_s = self.waited_s(began_s)
        return waited_s if limit_s and waited_s > limit_s else 0.0
