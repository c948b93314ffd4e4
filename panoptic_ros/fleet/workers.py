# SPDX-License-Identifier: Apache-2.0
"""What labels bags: the interface of workers, and processes of this machine behind it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, process
from multiprocessing.connection import Connection
from typing import Protocol

import cv2

from panoptic_ros.core.allocation import keep_freed_memory
from panoptic_ros.evaluation.processes import preloaded_context
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.label_bag import Labeller
from panoptic_ros.fleet.task import Task
from panoptic_ros.fleet.task_queue import Outcome

GRACE_S = 20.0
"""A bag stops itself at its limit; what is stuck in a library is ended so much later."""


class Workers(Protocol):
    """Workers of any kind, each with one engine."""

    def free(self) -> int:
        """How many tasks could be taken now."""

    def give(self, task: Task) -> None:
        """Start on a task; there must be a free worker."""

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Wait for at least one outcome, but no longer than that."""

    def close(self) -> None:
        """End all workers at once; a bag that is not finished is not there."""


@dataclass
class _Worker:
    """A process, the pipe to it, and the task that it has."""

    process: process.BaseProcess
    pipe: Connection
    task: Task | None = None
    started: float = 0.0


class LocalWorkers:
    """Processes of this machine; one that dies is replaced. Used by one thread.

    Args:
        out: Folder of the fleet's results.
        job: What to do.
        count: Processes.
    """

    def __init__(self, out: str, job: Job, count: int) -> None:
        self._out = out
        self._job = job
        self._count = count
        self._context = preloaded_context(__name__)
        self._workers: list[_Worker] = []

    def free(self) -> int:
        """How many tasks could be taken now."""
        return self._count - sum(worker.task is not None for worker in self._workers)

    def give(self, task: Task) -> None:
        """Start on a task."""
        idle = (one for one in self._workers if one.task is None)
        worker = next(idle, None) or self._started()
        worker.task, worker.started = task, time.monotonic()
        with suppress(OSError):  # it died while it had nothing to do; ``wait`` finds that out
            worker.pipe.send(task)

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Wait for outcomes; ends what is stuck."""
        at_work = [(one, one.task) for one in self._workers if one.task is not None]
        ready = set(connection.wait([worker.pipe for worker, _ in at_work], timeout_s))
        outcomes = [self._outcome(one, task) for one, task in at_work if one.pipe in ready]
        stuck = [self._ended(one, task) for one, task in at_work if self._is_stuck(one)]
        return outcomes + stuck

    def close(self) -> None:
        """End all processes at once."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _started(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        args = (theirs, self._out, self._job)
        started = self._context.Process(  # type: ignore[attr-defined]
            target=_serve, args=args, daemon=True, name="panoptic-label"
        )
        started.start()
        theirs.close()
        worker = _Worker(started, ours)
        self._workers.append(worker)
        return worker

    def _outcome(self, worker: _Worker, task: Task) -> Outcome:
        worker.task = None
        try:
            return Outcome(task, worker.pipe.recv())
        except (EOFError, OSError):
            self._workers.remove(worker)
            worker.process.join()
            worker.pipe.close()
            return Outcome(task, death=_death(worker.process.exitcode))

    def _is_stuck(self, worker: _Worker) -> bool:
        limit_s = self._job.limit_s
        return (
            limit_s is not None
            and worker.task is not None
            and time.monotonic() - worker.started > limit_s + GRACE_S
        )

    def _ended(self, worker: _Worker, task: Task) -> Outcome:
        limit_s = self._job.limit_s
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        return Outcome(task, death=f"was stuck for longer than {limit_s:g} s", is_final=True)


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"its worker ended with status {code}"
    hint = "; perhaps memory ran out" if -code == signal.SIGKILL else ""
    return f"its worker was ended by {signal.Signals(-code).name}{hint}"


def _serve(pipe: Connection, out: str, job: Job) -> None:
    """Do tasks as they come, until there are no more or the caller is gone."""
    # Ctrl-C reaches the whole group; the caller ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_caller, daemon=True).start()
    cv2.setNumThreads(job.threads)
    keep_freed_memory()
    with Labeller(out, job) as labeller:
        while True:
            try:
                task = pipe.recv()
            except EOFError:
                return
            pipe.send(labeller.do(task))


def _end_with_caller() -> None:
    """End this process when the caller has ended, however that was.

    A bag that is half done is not there; its lock goes with this process.
    """
    caller = multiprocessing.parent_process()
    if caller is not None:
        connection.wait([caller.sentinel])
        os._exit(1)
