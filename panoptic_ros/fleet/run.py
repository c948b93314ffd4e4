# SPDX-License-Identifier: Apache-2.0
"""Hand bags to workers until each is accounted for, whatever becomes of the workers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from panoptic_ros.core.errors import counted
from panoptic_ros.fleet.bag_report import FAILED, SKIPPED, BagReport
from panoptic_ros.fleet.folder import FleetFolder
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.label_bag import Labeller
from panoptic_ros.fleet.task_queue import TaskQueue
from panoptic_ros.fleet.workers import Workers

WAIT_S = 0.5


@dataclass
class CallProgress:
    """How far a call is.

    Attributes:
        total: Bags.
        bags: Bags by what became of them.
        frames: Frames that were labelled in this call.
        failed: Reports of failed bags and of bags that may have failed before, by id.
        started: Seconds of the monotonic clock.
    """

    total: int
    bags: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    failed: dict[str, BagReport] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def add(self, report: BagReport) -> None:
        """Count a bag."""
        self.bags[report.status] += 1
        if report.status != SKIPPED:
            self.frames += report.frames

    @property
    def done(self) -> int:
        """Bags that are accounted for."""
        return sum(self.bags.values())

    @property
    def seconds(self) -> float:
        """Time since the call started."""
        return time.monotonic() - self.started

    @property
    def frames_per_s(self) -> float:
        """Frames labelled in a second so far."""
        return self.frames / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        """Say it in one line."""
        told = ", ".join(f"{count} {status}" for status, count in sorted(self.bags.items()))
        left_s = self.seconds / self.done * (self.total - self.done) if self.done else None
        left = "" if left_s is None else f", {_duration(left_s)} left"
        return (
            f"{self.done} of {counted(self.total, 'bag')} ({told or 'none yet'}), "
            f"{counted(self.frames, 'frame')}, {self.frames_per_s:.1f} frames/s{left}"
        )


def label_all(uris: Iterable[str], workers: Workers, giver_up: Labeller) -> Iterator[BagReport]:
    """Label bags; yields what became of each, in the order in which they end.

    Args:
        uris: Addresses, each once.
        workers: Who does it; they are not closed here.
        giver_up: Writes down which bags are given up.
    """
    queue = TaskQueue(uris, giver_up)
    at_work = 0
    while True:
        while workers.free() and (task := queue.next()) is not None:
            workers.give(task)
            at_work += 1
        if not at_work and queue.wait_s is None:
            return
        for outcome in workers.wait(WAIT_S):
            at_work -= 1
            report = queue.settle(outcome)
            if report is not None:
                yield report
        if not at_work:
            time.sleep(min(WAIT_S, queue.wait_s or 0.0))


def call(
    uris: list[str], workers: Workers, out: str, job: Job
) -> Iterator[tuple[BagReport, CallProgress]]:
    """Label bags and keep the list of failures of a folder; yields each with the progress so far.

    Args:
        uris: Addresses, each once.
        workers: Who does it; closed here, whatever happens.
        out: Folder of the fleet's results.
        job: What to do.
    """
    folder, progress = FleetFolder(out, job.scratch), CallProgress(len(uris))
    known = {entry["id"] for entry in folder.failures()}
    try:
        with Labeller(out, job) as giver_up:
            for report in label_all(uris, workers, giver_up):
                progress.add(report)
                if report.status == FAILED or report.id in known:
                    progress.failed[report.id] = report
                yield report, progress
    finally:
        workers.close()
        folder.note_failures(progress.failed)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 1 else f"{seconds:.0f} s"
