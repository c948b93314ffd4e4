# SPDX-License-Identifier: Apache-2.0
"""Actors of a Ray cluster as workers: what to do with bags is not Ray's business."""

from __future__ import annotations

from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.fleet.bag_report import BagReport
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.label_bag import Labeller
from panoptic_ros.fleet.task import Task, Unfinished
from panoptic_ros.fleet.task_queue import Outcome

LOCAL = "local"


class RayLabeller:
    """One actor: a process somewhere in the cluster, with one engine.

    Args:
        out: Folder of the fleet's results, as every machine of the cluster sees it.
        job: What to do.
    """

    def __init__(self, out: str, job: Job) -> None:
        self._labeller = Labeller(out, job)

    def do(self, task: Task) -> BagReport | Unfinished:
        """Do a task; never raises."""
        return self._labeller.do(task)


class RayWorkers:
    """Actors of a cluster; one that is lost is replaced. Used by one thread.

    Actors above ``least`` are asked for while bags wait, so that a cluster that can grow does.

    Args:
        out: Folder of the fleet's results, as every machine of the cluster sees it.
        job: What to do.
        address: Of the cluster; ``auto``, or ``local`` for one on this machine.
        least: Actors that are asked for at once.
        most: Actors that are asked for while bags wait.
        gpus: GPUs of one actor, parts of one too.

    Raises:
        ConfigError: Ray is not installed, or there is no such cluster.
    """

    def __init__(
        self, out: str, job: Job, address: str, least: int, most: int, gpus: float
    ) -> None:
        self._ray, self._is_owner = _connected(address, job.threads * most)
        options: dict[str, Any] = {"num_cpus": job.threads}
        if gpus:
            options["num_gpus"] = gpus
        self._start = self._ray.remote(RayLabeller).options(**options).remote
        self._arguments = out, job
        self._idle = [self._start(out, job) for _ in range(least)]
        self._left = most - least
        self._at_work: dict[Any, tuple[Any, Task]] = {}

    def free(self) -> int:
        """How many tasks could be taken now."""
        return len(self._idle) + self._left

    def give(self, task: Task) -> None:
        """Start on a task."""
        if not self._idle:
            self._left -= 1
            self._idle.append(self._start(*self._arguments))
        actor = self._idle.pop()
        self._at_work[actor.do.remote(task)] = actor, task

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Wait for outcomes."""
        if not self._at_work:
            return []
        ready, _ = self._ray.wait(list(self._at_work), num_returns=1, timeout=timeout_s)
        return [self._outcome(reference) for reference in ready]

    def close(self) -> None:
        """End all actors at once."""
        for actor in [*self._idle, *(actor for actor, _ in self._at_work.values())]:
            self._ray.kill(actor)
        if self._is_owner:
            self._ray.shutdown()

    def _outcome(self, reference: Any) -> Outcome:
        actor, task = self._at_work.pop(reference)
        try:
            report = self._ray.get(reference)
            self._idle.append(actor)
            return Outcome(task, report)
        except self._ray.exceptions.RayError as error:
            # Another actor takes its place: what is asked of one that restarts may fail at once.
            self._ray.kill(actor)
            self._left += 1
            told = " ".join(str(error).split())[:200]
            return Outcome(task, death=f"its worker was lost ({told})")


def worker_range(told: str, jobs: int) -> tuple[int, int]:
    """Read how many actors there may be.

    Args:
        told: ``MIN:MAX`` or one number; empty for 1 to ``jobs``.
        jobs: What ``--jobs`` says.

    Raises:
        ConfigError: These are no such numbers.

    >>> worker_range("2:8", 1), worker_range("3", 1), worker_range("", 4)
    ((2, 8), (3, 3), (1, 4))
    """
    first, _, last = (told or f"1:{jobs}").partition(":")
    try:
        least, most = int(first), int(last or first)
    except ValueError:
        least, most = 0, 0
    if not 1 <= least <= most:
        raise ConfigError(f"--workers is {told}, needs MIN:MAX with 1 <= MIN <= MAX")
    return least, most


def _connected(address: str, cpus: int) -> tuple[Any, bool]:
    """Give the library, and whether this connection was opened here."""
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            "--ray needs ray, which is not installed; run: pip install ray"
        ) from error
    if ray.is_initialized():
        return ray, False
    try:
        if address == LOCAL:
            ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False)
        else:
            ray.init(address=address, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"--ray {address}: there is no such cluster ({error})") from error
    return ray, True
