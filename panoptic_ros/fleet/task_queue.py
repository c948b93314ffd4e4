# SPDX-License-Identifier: Apache-2.0
"""Which task comes next, and what an outcome means for its bag: more to do, or its fate."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from panoptic_ros.fleet.bag_report import FAILED, BagReport
from panoptic_ros.fleet.label_bag import Labeller
from panoptic_ros.fleet.task import Task, Unfinished

TRIES = 2
"""A bag, or a part of one, that ends so many workers is given up."""

BUSY_WAIT_S = 1.0
"""After so long a bag that another call has is asked for again."""


@dataclass(frozen=True)
class Outcome:
    """What a worker came to with one task.

    Attributes:
        task: The task.
        report: What became of the bag, or that more is to be done; None where the worker died.
        death: How it died, in words.
        is_final: Whether another try would end in the same way.
    """

    task: Task
    report: BagReport | Unfinished | None = None
    death: str = ""
    is_final: bool = False


class TaskQueue:
    """The tasks of a call; used by one thread.

    Parts of a bag that is begun come before the next bag, so that few wait to be joined.

    Args:
        uris: Addresses, each once.
        giver_up: Writes down which bags are given up.
    """

    def __init__(self, uris: Iterable[str], giver_up: Labeller) -> None:
        self._waiting = iter(uris)
        self._giver_up = giver_up
        self._again: deque[Task] = deque()
        self._busy: deque[tuple[float, Task]] = deque()
        self._deaths: Counter[Task] = Counter()
        self._parts: dict[str, set[int]] = {}

    def next(self) -> Task | None:
        """Give the next task: one that is due again, else a fresh one, else one that was busy."""
        if self._again:
            return self._again.popleft()
        uri = next(self._waiting, None)
        if uri is not None:
            return Task(uri)
        if self._busy and self._busy[0][0] <= time.monotonic():
            return self._busy.popleft()[1]
        return None

    @property
    def wait_s(self) -> float | None:
        """Seconds until a busy task is asked for again; None where there is none."""
        return max(0.0, self._busy[0][0] - time.monotonic()) if self._busy else None

    def settle(self, outcome: Outcome) -> BagReport | None:
        """Take an outcome in.

        Returns:
            What became of the bag; None while that is open, or where it was said before.
        """
        task, report = outcome.task, outcome.report
        if task.part is not None and task.uri not in self._parts:
            return None
        if report is None:
            return self._after_death(outcome)
        if isinstance(report, Unfinished):
            self._go_on(task, report)
            return None
        if report.is_busy:
            self._busy.append((time.monotonic() + BUSY_WAIT_S, task))
            return None
        if task.part is not None and report.status == FAILED:
            return self._given_up(task, report.error)
        self._forget_parts(task.uri)
        return report

    def _go_on(self, task: Task, unfinished: Unfinished) -> None:
        """Do the parts of a bag, then the bag once more."""
        if task.part is None:
            self._parts[task.uri] = set(unfinished.parts)
            self._again.extend(Task(task.uri, number) for number in unfinished.parts)
            return
        left = self._parts[task.uri]
        left.discard(task.part)
        if not left:
            del self._parts[task.uri]
            self._again.append(Task(task.uri))

    def _after_death(self, outcome: Outcome) -> BagReport | None:
        """Do a task once more, or give its bag up."""
        task = outcome.task
        self._deaths[task] += 1
        if not outcome.is_final and self._deaths[task] < TRIES:
            self._again.append(task)
            return None
        times = f", {self._deaths[task]} times" if self._deaths[task] > 1 else ""
        part = "" if task.part is None else f"part {task.part}: "
        return self._given_up(task, f"{part}{outcome.death}{times}; given up")

    def _given_up(self, task: Task, why: str) -> BagReport:
        self._forget_parts(task.uri)
        return self._giver_up.give_up(task.uri, why)

    def _forget_parts(self, uri: str) -> None:
        """Leave out what is left to do of a bag whose fate is known."""
        if self._parts.pop(uri, None) is not None:
            self._again = deque(task for task in self._again if task.uri != uri)
            self._busy = deque(entry for entry in self._busy if entry[1].uri != uri)
