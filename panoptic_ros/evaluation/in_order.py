# SPDX-License-Identifier: Apache-2.0
"""Work done by several workers, its results in order, with few in flight at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def in_order(
    pool: Executor, work: Callable[[Item], Done], items: Iterable[Item], ahead: int
) -> Iterator[Done]:
    """Work on items and pass the results on in order.

    Args:
        pool: Threads or processes.
        work: What to do with an item.
        items: Taken by the calling thread.
        ahead: How many may be in flight.

    Yields:
        What ``work`` returned, item by item; what it raised is raised.
    """
    waiting: deque[Future[Done]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
