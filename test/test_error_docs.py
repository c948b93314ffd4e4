# SPDX-License-Identifier: Apache-2.0
"""docs/errors.md says what the code says: no message without its row, no row without a message."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTIONS = re.split(r"^## ", (ROOT / "docs/errors.md").read_text("utf-8"), flags=re.MULTILINE)
ERRORS = (
    "ConfigError",
    "ModelError",
    "StaleEngineError",
    "FrameError",
    "DataError",
    "EngineRunError",
)
WHOLE = ("ModelError", "StaleEngineError", "FrameError", "EngineRunError")
"""Every message of these has a row; the others' say what to do themselves."""

GAP = "\0"
_LEAST = 6
"""Characters that a message must have of its own; below, it repeats another's words."""


def template(node: ast.expr) -> str:
    """A message with a gap for every part that is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [template(part) if isinstance(part, ast.Constant) else GAP for part in node.values]
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    return GAP


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "panoptic_ros").rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def messages() -> Iterator[tuple[str, str, str]]:
    """Yield what errors are made of: where, class, template."""
    for where, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                text = template(node.args[0]) if node.args else ""
                if node.func.id in ERRORS and len(text.replace(GAP, "").strip(":; ")) >= _LEAST:
                    yield f"{where}:{node.lineno}", node.func.id, text


def excerpts(section: str) -> list[str]:
    """What the first column of a section's tables quotes."""
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [quoted for row in rows for quoted in re.findall(r"`([^`]+)`", row)]


def quotes(excerpt: str, text: str) -> bool:
    """Whether an excerpt, whose ``...`` stand for anything, is part of a message."""
    parts = [re.escape(part) for part in excerpt.split("...")]
    return re.search(".*".join(parts), text, re.DOTALL) is not None


BY_CLASS = {
    section.split("\n", 1)[0]: excerpts(section) for section in SECTIONS if "\n" in section
}
MESSAGES = [entry for entry in messages() if entry[1] in WHOLE]


@pytest.mark.parametrize(("where", "kind", "text"), MESSAGES, ids=[entry[0] for entry in MESSAGES])
def test_a_message_has_its_row(where: str, kind: str, text: str) -> None:
    known = BY_CLASS[kind]
    readable = text.replace(GAP, "...")
    assert any(quotes(excerpt, text) for excerpt in known), f"{where}: {kind} {readable!r}"


def test_every_row_quotes_words_of_the_code() -> None:
    texts = [
        template(node)
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, (ast.JoinedStr, ast.Constant, ast.BinOp))
    ]
    known = [excerpt for kind in ERRORS for excerpt in BY_CLASS[kind]]
    assert len(known) > 60
    wrong = [e for e in known if not any(quotes(e, text) for text in texts)]
    assert wrong == []


def test_an_excerpt_says_enough_to_be_found() -> None:
    vague = [
        excerpt
        for kind in WHOLE
        for excerpt in BY_CLASS[kind]
        if len(excerpt.replace("...", "").strip()) < _LEAST
    ]
    assert vague == []


@pytest.mark.parametrize(
    ("excerpt", "found"),
    [
        ("int8 takes ... images", True),
        ("takes its ranges", True),
        ("takes ... ranges ... takes", False),
        ("images ... int8", False),
    ],
)
def test_gaps_stand_for_anything_in_order(excerpt: str, found: bool) -> None:
    assert quotes(excerpt, f"int8 takes its ranges from at least {GAP} images") is found
