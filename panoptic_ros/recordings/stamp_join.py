# SPDX-License-Identifier: Apache-2.0
"""Messages of several topics put together by their stamps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class StampJoin(Generic[Value]):
    """Collects what belongs to one stamp until all of it is there.

    Args:
        names: What belongs together.
        most_waiting: Stamps that may be incomplete at a time; further ones push the oldest out.
            None for any number.

    >>> join = StampJoin[str](("label", "instance"))
    >>> join.add(7, "label", "a"), join.add(8, "label", "b"), join.add(7, "instance", "c")
    (None, None, {'label': 'a', 'instance': 'c'})
    >>> list(join.rest())
    [(8, {'label': 'b'})]
    """

    def __init__(self, names: Collection[str], most_waiting: int | None = None) -> None:
        self._names = frozenset(names)
        self._most = most_waiting
        self._waiting: dict[int, dict[str, Value]] = {}

    def add(self, stamp_ns: int, name: str, value: Value) -> dict[str, Value] | None:
        """Take a value; give back all of its stamp when they are complete."""
        parts = self._waiting.setdefault(stamp_ns, {})
        parts[name] = value
        if parts.keys() < self._names:
            return None
        return self._waiting.pop(stamp_ns)

    @property
    def oldest(self) -> int | None:
        """The lowest stamp that is incomplete, None where there is none."""
        return min(self._waiting, default=None)

    def give_up(self, stamp_ns: int) -> dict[str, Value]:
        """Give back what is there of an incomplete stamp, and wait for it no more."""
        return self._waiting.pop(stamp_ns)

    def overdue(self) -> Iterator[tuple[int, dict[str, Value]]]:
        """Give up the oldest incomplete stamps while there are too many."""
        while self._most is not None and len(self._waiting) > self._most:
            stamp_ns = next(iter(self._waiting))
            yield stamp_ns, self._waiting.pop(stamp_ns)

    def rest(self) -> Iterator[tuple[int, dict[str, Value]]]:
        """Give up all incomplete stamps, oldest first."""
        while self._waiting:
            stamp_ns = next(iter(self._waiting))
            yield stamp_ns, self._waiting.pop(stamp_ns)
