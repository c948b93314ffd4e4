# SPDX-License-Identifier: Apache-2.0
"""The mistakes made by hand still fit the code, and the tests that shall notice them are there."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from test.mutants import made as by_hand
from test.mutants.made import made
from test.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found() -> tuple[list[Mutant], list[str]]:
    return made(ROOT)


@pytest.fixture
def mutants(found: tuple[list[Mutant], list[str]]) -> list[Mutant]:
    return found[0]


def test_every_mistake_can_be_made_once_in_the_file_that_it_names(
    found: tuple[list[Mutant], list[str]],
) -> None:
    assert found[1] == []


def test_every_mistake_changes_its_line_and_leaves_the_file_python(mutants: list[Mutant]) -> None:
    for one in mutants:
        assert one.before != one.after, one.key
        ast.parse(one.source, one.file)


def test_no_two_mistakes_share_a_result(mutants: list[Mutant]) -> None:
    counts = Counter(one.key for one in mutants)
    assert [key for key, count in counts.items() if count > 1] == []


def test_the_tests_that_shall_notice_are_there(mutants: list[Mutant]) -> None:
    for test in sorted({test for one in mutants for test in one.tests}):
        file, _, name = test.partition("::")
        assert (ROOT / file).exists(), test
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), test


@pytest.mark.parametrize(
    "source", [None, "other = 1\n", "here = 1\nhere = 1\n"], ids=["no file", "none", "twice"]
)
def test_what_fits_no_more_is_named(
    source: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = "- {guards: g, file: a.py, from: here = 1, to: here = 2, tests: [test_a.py]}\n"
    (tmp_path / "made.yaml").write_text(entry, encoding="utf-8")
    monkeypatch.setattr(by_hand, "HERE", tmp_path)
    if source is not None:
        (tmp_path / "a.py").write_text(source, encoding="utf-8")
    mutants, stale = made(tmp_path)
    assert mutants == []
    assert len(stale) == 1
    assert stale[0].startswith("a.py holds ")
