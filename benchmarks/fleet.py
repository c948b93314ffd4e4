# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic label`` costs beside labelling: time per bag and memory of the caller.

python benchmarks/fleet.py --bags 10000
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time

from panoptic_ros.fleet.addresses import bag_id
from panoptic_ros.fleet.bag_report import OK, BagReport
from panoptic_ros.fleet.folder import FleetFolder
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.run import call
from panoptic_ros.fleet.task import Task
from panoptic_ros.fleet.task_queue import Outcome


class FakeWorkers:
    """Workers that label nothing; manifests are written as by real ones.

    Args:
        out: Folder of the results.
        writes: Whether to write manifests; without, only the caller's own work is left.
    """

    def __init__(self, out: str, writes: bool) -> None:
        self._folder = FleetFolder(out) if writes else None
        self._given: list[Task] = []

    def free(self) -> int:
        """Room for eight bags."""
        return 8 - len(self._given)

    def give(self, task: Task) -> None:
        """Take a bag."""
        self._given.append(task)

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Be done with all bags at once."""
        given, self._given = self._given, []
        return [Outcome(task, self._report(task.uri)) for task in given]

    def close(self) -> None:
        """Nothing to end."""

    def _report(self, uri: str) -> BagReport:
        report = BagReport(uri, bag_id(uri), OK, frames=100, seconds=1.0, key="k" * 64)
        if self._folder is not None:
            with self._folder.claimed(report.id):
                self._folder.publish(report, {})
        return report


def main() -> None:
    """Print what a call over drawn addresses costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bags", type=int, default=10_000)
    bags = parser.parse_args().bags
    before_mb = _peak_mb()
    uris = [f"/data/2026-11/vehicle_07/drive_{number:07d}.mcap" for number in range(bags)]
    for writes in (False, True):
        with tempfile.TemporaryDirectory() as out:
            started = time.monotonic()
            count = sum(1 for _ in call(uris, FakeWorkers(out, writes), out, Job("drawn")))
            each_ms = 1000 * (time.monotonic() - started) / count
        what = "with lock and manifest" if writes else "of the caller alone"
        print(f"{count} bags: {each_ms:.3f} ms a bag {what}; peak {_peak_mb():.0f} MB of memory")
    print(f"before: {before_mb:.0f} MB")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
