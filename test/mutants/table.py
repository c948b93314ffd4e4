# SPDX-License-Identifier: Apache-2.0
"""What became of mutants: a table per folder and the survivors, as Markdown."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from test.mutants.made import equivalents


class Outcome(NamedTuple):
    """What became of one mutant.

    Attributes:
        key: The mutant's.
        kind: ``sampled`` or ``made``.
        folder: The changed file's.
        is_killed: Whether a test failed or ran too long.
        by: The test that failed.
        seconds: CPU time that the tests took.
    """

    key: str
    kind: str
    folder: str
    is_killed: bool
    by: str
    seconds: float


def read(path: Path) -> dict[str, Outcome]:
    """Results by the mutants' keys; the last one counts."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [Outcome(**json.loads(line)) for line in lines]
    return {one.key: one for one in found}


def table(outcomes: list[Outcome]) -> str:
    """One row per folder, one for all, one for those made by hand; then the survivors."""
    reasons = equivalents()
    rows: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        rows["made by hand" if one.kind == "made" else one.folder].append(one)
    sampled = [one for one in outcomes if one.kind == "sampled"]
    order = sorted(name for name in rows if name != "made by hand")
    lines = [
        "| folder | mutants | equivalent | killed | survived | killed, % |",
        "|---|" + "--:|" * 5,
    ]
    lines += [_row(f"`{name}`", rows[name], reasons) for name in order]
    lines += [_row("**sampled**", sampled, reasons)] if sampled else []
    if "made by hand" in rows:
        lines.append(_row("**made by hand**", rows["made by hand"], reasons))
    lines += ["", *(f"survived: {one.key}" for one in outcomes if _survived(one, reasons))]
    return "\n".join(lines) + "\n"


def _survived(one: Outcome, reasons: dict[str, str]) -> bool:
    return not one.is_killed and one.key not in reasons


def _row(name: str, outcomes: list[Outcome], reasons: dict[str, str]) -> str:
    """Equivalents change nothing, so they are left out of the share."""
    equal = sum(not one.is_killed and one.key in reasons for one in outcomes)
    killed = sum(one.is_killed for one in outcomes)
    counted = len(outcomes) - equal
    share = f"{100 * killed / counted:.0f}" if counted else "-"
    return f"| {name} | {len(outcomes)} | {equal} | {killed} | {counted - killed} | {share} |"
