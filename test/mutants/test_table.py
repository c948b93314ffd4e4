# SPDX-License-Identifier: Apache-2.0
"""How results of mutants add up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from test.mutants import table as tables
from test.mutants.table import Outcome, read, table


def outcome(key: str, is_killed: bool, kind: str = "sampled") -> Outcome:
    return Outcome(key, kind, "core", is_killed, "", 1.0)


def test_an_equivalent_is_left_out_of_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "equivalents", lambda: {"c": "nobody can see it"})
    told = table([outcome("a", True), outcome("b", False), outcome("c", False)])
    assert "| `core` | 3 | 1 | 1 | 1 | 50 |" in told
    assert "survived: b" in told
    assert "survived: c" not in told


def test_those_made_by_hand_have_a_row_of_their_own() -> None:
    told = table([outcome("a", True), outcome("b", False, "made")])
    assert "| **sampled** | 1 | 0 | 1 | 0 | 100 |" in told
    assert "| **made by hand** | 1 | 0 | 0 | 1 | 0 |" in told


def test_a_mutants_last_result_counts(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    lines = (outcome("a", False), outcome("b", True), outcome("a", True))
    path.write_text("".join(json.dumps(one._asdict()) + "\n" for one in lines))
    assert {key: one.is_killed for key, one in read(path).items()} == {"a": True, "b": True}
