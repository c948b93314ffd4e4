# SPDX-License-Identifier: Apache-2.0
"""Kill a call that labels bags again and again, and compare what is left with a quiet one.

python -m test.fleet.kill_run --bags 200 --kills 20
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from test.drawn.drawn_fleet import write_fleet

ROOT = Path(__file__).parents[2]
CALL = ROOT / "test" / "drawn" / "fleet_call.py"


def command(bags: Path, out: Path, jobs: int) -> list[str]:
    words = ["label", str(bags), "--out", str(out), "--engine", "drawn", "--jobs", str(jobs)]
    return [sys.executable, str(CALL), *words, "--threads", "1"]


def label(bags: Path, out: Path, jobs: int) -> int:
    return subprocess.run(command(bags, out, jobs), check=False, capture_output=True).returncode


def label_and_kill(
    bags: Path, out: Path, jobs: int, is_time: Callable[[], bool], whole_group: bool
) -> bool:
    """Kill a call with signal 9 when it is time; says whether it was still at work."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(
        command(bags, out, jobs), stdout=quiet, stderr=quiet, start_new_session=True
    )
    while not is_time():
        if child.poll() is not None:
            return False
        time.sleep(0.01)
    if whole_group:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    return child.wait() == -signal.SIGKILL


def later(after_s: float) -> Callable[[], bool]:
    """Say whether so long has passed from now on."""
    due_s = time.monotonic() + after_s
    return lambda: time.monotonic() >= due_s


def fates(out: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Status and check sums of the results of every bag."""
    found = {}
    for manifest in sorted(out.glob("*/manifest.json")):
        told = json.loads(manifest.read_text())
        sums = tuple(entry["sha256"] for entry in told["outputs"])
        found[told["id"]] = (told["status"], sums)
    return found


def strays(out: Path) -> list[str]:
    """Files that belong to no bag's manifest."""
    listed = {out / "failed.jsonl"}
    for manifest in out.glob("*/manifest.json"):
        told = json.loads(manifest.read_text())
        listed |= {manifest, *(manifest.parent / entry["name"] for entry in told["outputs"])}
    files = {
        path for path in out.rglob("*") if path.is_file() and ".panoptic/locks" not in str(path)
    }
    return sorted(str(path.relative_to(out)) for path in files - listed)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bags", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most-s", type=float, default=20.0, help="latest moment of a kill")
    args = parser.parse_args()
    rng = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        corrupt, poisonous, empty = args.bags // 20, args.bags // 40, args.bags // 40
        good = args.bags - corrupt - poisonous - empty
        write_fleet(base / "bags", good, corrupt, poisonous, empty)
        started = time.monotonic()
        label(base / "bags", base / "serial", 1)
        say(f"serial: {time.monotonic() - started:.0f} s")
        killed, done = 0, []
        for number in range(args.kills):
            is_time = later(float(rng.uniform(1.0, args.most_s)))
            killed += label_and_kill(
                base / "bags", base / "killed", args.jobs, is_time, number % 2 == 0
            )
            done.append(len(fates(base / "killed")))
        say(f"killed {killed} times; bags with a manifest after each: {done}")
        status = label(base / "bags", base / "killed", args.jobs)
        serial, after = fates(base / "serial"), fates(base / "killed")
        equal = sum(after.get(bag) == fate for bag, fate in serial.items())
        counts = {
            name: sum(s == name for s, _ in after.values()) for name in ("ok", "failed", "skipped")
        }
        say(
            f"last call: status {status}; {len(after)} of {args.bags} bags accounted for, {counts}"
        )
        say(f"equal to serial: {equal}; stray files: {strays(base / 'killed')}")
        return 0 if equal == len(serial) == args.bags and not strays(base / "killed") else 1


if __name__ == "__main__":
    sys.exit(main())
