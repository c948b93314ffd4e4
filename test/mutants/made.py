# SPDX-License-Identifier: Apache-2.0
"""Mistakes as a careless colleague makes them, and mutants that change nothing; both by hand."""

from __future__ import annotations

from pathlib import Path

import yaml

from test.mutants.mutant import Mutant

HERE = Path(__file__).parent


def made(root: Path) -> tuple[list[Mutant], list[str]]:
    """Read ``made.yaml``.

    Returns:
        The mutants, and a line for each that does not fit the code any more.
    """
    mutants, stale = [], []
    for entry in yaml.safe_load((HERE / "made.yaml").read_text(encoding="utf-8")):
        path = root / entry["file"]
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        found = source.count(entry["from"])
        if found == 1:
            after = source.replace(entry["from"], entry["to"])
            tests = tuple(entry["tests"])
            before = " ".join(entry["from"].split())
            words = " ".join(entry["to"].split())
            mutants.append(
                Mutant(entry["file"], entry["guards"], before, words, after, tests, "made")
            )
        else:
            stale.append(f"{entry['file']} holds {found} times, not once: {entry['from']}")
    return mutants, stale


def equivalents() -> dict[str, str]:
    """Read ``equivalent.yaml``: reasons by the mutants' keys."""
    entries = yaml.safe_load((HERE / "equivalent.yaml").read_text(encoding="utf-8")) or []
    return {
        f"sampled {entry['file']} {entry['in']} [{entry['from']}] -> [{entry['to']}]": entry["why"]
        for entry in entries
    }
