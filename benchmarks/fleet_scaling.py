# SPDX-License-Identifier: Apache-2.0
"""Frames that workers of ``panoptic label`` do in a second: one worker, then more of them.

python -m benchmarks.fleet_scaling VIDEO --workers 1,2 --bags 8 --seconds 10
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.fleet_cut import write_bag
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.job_engine import model_sha256
from panoptic_ros.fleet.run import call
from panoptic_ros.fleet.workers import LocalWorkers


def main() -> None:
    """Print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--workers", default="1,2", metavar="N,N")
    parser.add_argument("--bags", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each bag")
    parser.add_argument("--rate", type=float, default=10.0, help="images per second of a bag")
    parser.add_argument("--engine", default="street_fast")
    args = parser.parse_args()
    job = Job(args.engine, model_sha256(args.engine), threads=1)
    print(f"{len(os.sched_getaffinity(0))} cores, {args.engine}, one thread a worker")
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "bags", "drive_00.mcap")
        first.parent.mkdir()
        write_bag(first, args.video, args.seconds, args.rate)
        for number in range(1, args.bags):
            first.with_name(f"drive_{number:02d}.mcap").write_bytes(first.read_bytes())
        uris = sorted(str(path) for path in first.parent.iterdir())
        alone = 0.0
        for count in map(int, args.workers.split(",")):
            rate = frames_per_s(uris, count, str(Path(folder, f"out{count}")), job)
            alone = alone or rate
            print(
                f"{count} workers: {rate:.1f} frames/s, {rate / count:.1f} of each, "
                f"{rate / alone:.2f} times the first"
            )


def frames_per_s(uris: list[str], count: int, out: str, job: Job) -> float:
    """Label all bags but the first ones, with which the workers start, and time it."""
    workers = LocalWorkers(out, job, count)
    started = frames = 0
    began = time.monotonic()
    for done, (report, _) in enumerate(call(uris, workers, out, job), start=1):
        if report.status != "ok":
            raise SystemExit(f"{report.uri}: {report.error}")
        if done == count:
            # From here on every worker has its engine.
            began, started = time.monotonic(), frames + report.frames
        frames += report.frames
    return (frames - started) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
