# SPDX-License-Identifier: Apache-2.0
"""Which result labels which cloud: the nearest in time, as soon as it is known which that is."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from panoptic_ros.core.result import Result, without_image

Item = TypeVar("Item")

MOST_WAITING, MOST_RESULTS = 8, 16


@dataclass(frozen=True, eq=False)
class Paired(Generic[Item]):
    """A cloud and the result that is nearest to it.

    Attributes:
        item: The cloud.
        result: None where there is none near enough.
        offset_s: From the cloud to the nearest result, infinite where there is none.
    """

    item: Item
    result: Result | None
    offset_s: float


class Pairing(Generic[Item]):
    """Clouds that wait for a result that is not older than they are.

    Any thread may put clouds; one at a time hands over results.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Item]] = deque()
        self._results: deque[Result] = deque(maxlen=MOST_RESULTS)

    def put(self, item: Item, stamp_ns: int) -> int:
        """Let a cloud wait; returns how many gave way to it, for whom no result came."""
        with self._lock:
            self._waiting.append((stamp_ns, item))
            if len(self._waiting) <= MOST_WAITING:
                return 0
            self._waiting.popleft()
            return 1

    def take(self, result: Result, max_offset_s: float) -> list[Paired[Item]]:
        """Hand over the next result.

        Args:
            result: Its image is not kept.
            max_offset_s: A cloud farther from every result has none.

        Returns:
            The clouds up to the result's time, in their order; before them, without a result,
            those that still waited when time jumped back.
        """
        stamp_ns = result.frame.stamp_ns
        left = self._left_behind(stamp_ns)
        self._results.append(without_image(result))
        with self._lock:
            ready = [entry for entry in self._waiting if entry[0] <= stamp_ns]
            self._waiting = deque(entry for entry in self._waiting if entry[0] > stamp_ns)
        return left + [self._paired(item, time_ns, max_offset_s) for time_ns, item in ready]

    def _left_behind(self, stamp_ns: int) -> list[Paired[Item]]:
        """Forget the recording before this one, where a result's time says that it is another.

        Returns:
            Its last clouds, which waited for a later result of it.
        """
        newest_ns = self._results[-1].frame.stamp_ns if self._results else stamp_ns
        if stamp_ns >= newest_ns:
            return []
        self._results.clear()
        with self._lock:
            left = [item for time_ns, item in self._waiting if time_ns > newest_ns]
            self._waiting = deque(entry for entry in self._waiting if entry[0] <= newest_ns)
        return [Paired(item, None, float("inf")) for item in left]

    def finish(self, max_offset_s: float) -> list[Paired[Item]]:
        """Give the clouds behind the last result of a recording."""
        with self._lock:
            ready, self._waiting = list(self._waiting), deque()
        return [self._paired(item, time_ns, max_offset_s) for time_ns, item in ready]

    def _paired(self, item: Item, time_ns: int, max_offset_s: float) -> Paired[Item]:
        nearest = min(
            self._results, key=lambda one: abs(one.frame.stamp_ns - time_ns), default=None
        )
        if nearest is None:
            return Paired(item, None, float("inf"))
        offset_s = (nearest.frame.stamp_ns - time_ns) / 1e9
        return Paired(item, nearest if abs(offset_s) <= max_offset_s else None, offset_s)
