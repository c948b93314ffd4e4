# SPDX-License-Identifier: Apache-2.0
"""Fuzz all readers for a while, in one process per core.

Run: python -m test.fuzz [--seconds 3600] [--only image,rle] [--seed 1] [--out out/fuzz]

Input that broke a reader is kept in ``--out``; exit status 1 then.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import PanopticError
from test.fuzz.last_input import LastInput
from test.fuzz.mutation import damaged
from test.fuzz.targets import targets

MEMORY_B = 6 << 30
LONGEST_READ_S = 20
TURN_S = 2.0


class HangError(BaseException):
    """A reader took longer than ``LONGEST_READ_S``; none may catch it."""


def main() -> int:
    """Share the time among processes, add up what they did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=3600.0, help="default: %(default)s")
    parser.add_argument("--only", default="", help="readers, separated by commas; default: all")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="default: %(default)s")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    known = targets()
    names = args.only.split(",") if args.only else list(known)
    unknown = set(names) - set(known)
    if unknown:
        parser.error(f"no reader {sorted(unknown)}; there are: {', '.join(known)}")
    jobs = [
        (names, args.seed * 1000 + number, args.seconds, args.out)
        for number in range(args.processes)
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.processes, mp_context=context) as pool:
        try:
            parts = list(pool.map(fuzz, *zip(*jobs, strict=True)))
        except BrokenProcessPool:
            sys.stdout.write(f"a process died; {args.out}/last-* holds what it was reading\n")
            return 1
    return told(parts, args.out, args.seconds)


def fuzz(names: list[str], seed: int, seconds: float, out: Path) -> dict[str, list[int]]:
    """Fuzz readers in turns until the time is over; [runs, refusals, failures] by reader."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_B, MEMORY_B))
    for kind in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(kind, _hang)
    warnings.simplefilter("ignore")
    # Image libraries and ONNX Runtime write lines about damaged input, past every logger.
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    draw, known = random.Random(seed), targets()
    counts = {name: [0, 0, 0] for name in names}
    last = LastInput(out / f"last-{seed}")
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        for name in names:
            turn_end_s = min(end_s, time.monotonic() + TURN_S)
            while time.monotonic() < turn_end_s:
                data = damaged(known[name].seeds, draw)
                counts[name][0] += 1
                last.remember(name, data)
                kind = attempt(known[name].read, data, out / f"{name}-{seed}-{counts[name][0]}")
                if kind:
                    counts[name][kind] += 1
    last.forget()
    return counts


def attempt(read: Any, data: bytes, kept: Path) -> int:
    """Read once: 0 read, 1 refused, 2 broken, with the input kept."""
    # Other work on the machine is no fault of a reader, but waiting for ever is.
    signal.setitimer(signal.ITIMER_PROF, LONGEST_READ_S)
    signal.alarm(10 * LONGEST_READ_S)
    try:
        read(data)
    except PanopticError:
        return 1
    except BaseException:
        kept.write_bytes(data)
        kept.with_suffix(".txt").write_text(traceback.format_exc(), encoding="utf-8")
        return 2
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
    return 0


def _hang(*_: object) -> None:
    raise HangError(f"longer than {LONGEST_READ_S} s of computing, or ten times that in all")


def told(parts: list[dict[str, list[int]]], out: Path, seconds: float) -> int:
    """Print and keep the sums."""
    sums = {name: [sum(part[name][at] for part in parts) for at in range(3)] for name in parts[0]}
    total, _, failures = (sum(counts[at] for counts in sums.values()) for at in range(3))
    for name, (runs, refused, broken) in sums.items():
        sys.stdout.write(f"{name:<12} {runs:>10} runs {refused:>10} refused {broken:>4} broken\n")
    sys.stdout.write(f"{total} runs in {seconds:g} s, {failures} broken\n")
    report = {"seconds": seconds, "runs": total, "broken": failures, "by_reader": sums}
    (out / "fuzz.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if failures else 0
