# SPDX-License-Identifier: Apache-2.0
"""Try a sample of small mistakes, and those made by hand, against the tests that lie near.

Run: python -m test.mutants [--only core,ros | --files FILE,FOLDER] [--number 60] [--seed 1]
    [--made | --sampled] [--again] [--seconds 300]

Results are added to ``--out``; what stands there is not tried again, so a run that was ended
goes on. docs/testing.md says how to read the table.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from test.mutants.made import made
from test.mutants.mutant import Mutant
from test.mutants.order import in_rounds, shares
from test.mutants.rooms import ROOMS, files, modules
from test.mutants.sample import sample
from test.mutants.table import Outcome, read, table
from test.mutants.tree import Tree

ROOT = Path(__file__).resolve().parents[2]
# Tests that pass may take this many times what they take without a mistake, in CPU time.
PATIENCE, LEAST_S = 3.0, 8.0


def main() -> int:
    """Share the mutants among processes, print the table; 1 if listed mistakes fit no more."""
    args = _arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    by_hand, stale = made(ROOT)
    chosen = {file for part in args.parts for file in part}
    by_hand = [one for one in by_hand if args.takes_all or one.file in chosen]
    by_hand = [] if args.sampled else by_hand
    sampled = [] if args.made else [_sampled(part, args) for part in args.parts]
    mutants = in_rounds([*sampled, by_hand])
    results = args.out / "results.jsonl"
    if args.again:
        _forget(results, [one.key for one in mutants])
    known = read(results)
    left = [one for one in mutants if one.key not in known]
    end_s = time.monotonic() + args.seconds
    context = multiprocessing.get_context("spawn")
    parts = shares(left, args.processes)
    workers = [
        context.Process(target=work, args=(part, args.out, number, end_s))
        for number, part in enumerate(parts)
        if part
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    known = read(results)
    sys.stdout.write(table([known[one.key] for one in mutants if one.key in known]))
    untried = sum(one.key not in known for one in mutants)
    sys.stdout.write(f"not tried yet: {untried}\n" if untried else "")
    sys.stdout.write("".join(f"stale: {line}\n" for line in stale))
    return 1 if stale else 0


def work(mutants: list[Mutant], out: Path, number: int, end_s: float) -> None:
    """Try mutants one after the other until the time is over."""
    tree, costs = Tree(ROOT, out / f"tree-{number}"), dict[str, float]()
    log = out / f"log-{number}.txt"
    for mutant in mutants:
        if time.monotonic() > end_s:
            break
        cost = sum(_cost(tree, test, costs, log) for test in mutant.tests)
        if math.isinf(cost):
            continue
        with tree.changed(mutant.file, mutant.source):
            told, seconds = tree.passes(mutant.tests, max(LEAST_S, PATIENCE * cost), log)
        _keep(out / "results.jsonl", _outcome(mutant, told, seconds, log))


def _cost(tree: Tree, test: str, costs: dict[str, float], log: Path) -> float:
    """CPU time of a test file without a mistake, in s; infinite where it fails."""
    if test not in costs:
        told, costs[test] = tree.passes((test,), 600.0, log)
        if told != "passed":
            sys.stderr.write(f"{test} fails without a mistake:\n{log.read_text()}\n")
            costs[test] = math.inf
    return costs[test]


def _outcome(mutant: Mutant, told: str, seconds: float, log: Path) -> Outcome:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = next((line for line in lines if line.startswith(("FAILED", "ERROR"))), "")
    by = {"passed": "", "failed": failed[:160]}.get(told, told)
    return Outcome(mutant.key, mutant.kind, mutant.folder, told != "passed", by, round(seconds, 1))


def _keep(path: Path, outcome: Outcome) -> None:
    line = json.dumps(outcome._asdict()) + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def _forget(path: Path, keys: Iterable[str]) -> None:
    """Drop the survivors among results, so that they are tried again."""
    gone = set(keys)
    kept = [one for one in read(path).values() if one.is_killed or one.key not in gone]
    path.write_text("".join(json.dumps(one._asdict()) + "\n" for one in kept), encoding="utf-8")


def _sampled(part: list[str], args: argparse.Namespace) -> list[Mutant]:
    return sample(ROOT, part, args.number, args.seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default=",".join(ROOMS), help="rooms; default: %(default)s")
    parser.add_argument(
        "--files", default="", help="modules and folders instead of rooms, with commas between"
    )
    parser.add_argument(
        "--number", type=int, default=60, help="of a room, or of --files; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--made", action="store_true", help="those made by hand alone")
    kinds.add_argument("--sampled", action="store_true", help="those drawn alone")
    parser.add_argument("--again", action="store_true", help="try survivors again")
    parser.add_argument("--seconds", type=float, default=3600.0, help="default: %(default)s")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--out", type=Path, default=Path("out/mutants"), help="default: %(default)s"
    )
    args = parser.parse_args()
    args.takes_all = args.only == ",".join(ROOMS) and not args.files
    try:
        args.parts = _parts(args)
    except ValueError as error:
        parser.error(str(error))
    args.out = args.out.resolve()
    return args


def _parts(args: argparse.Namespace) -> list[list[str]]:
    """Modules of each room, or of all that ``--files`` names together.

    Raises:
        ValueError: There is no such room or file.
    """
    if args.files:
        return [modules(ROOT, args.files.split(","))]
    unknown = set(args.only.split(",")) - set(ROOMS)
    if unknown:
        raise ValueError(f"no room {sorted(unknown)}; there are: {', '.join(ROOMS)}")
    return [files(ROOT, room) for room in args.only.split(",")]
