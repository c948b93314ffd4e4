# SPDX-License-Identifier: Apache-2.0
"""The package runs no code that comes from a file, a message or a shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "panoptic_ros").rglob("*.py"), *(ROOT / "launch").glob("*.py")])

BANNED_MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "joblib"}
BANNED_CALLS = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
}


def name_of(node: ast.expr) -> str:
    """Dotted name of what is called, empty where it has none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def keywords_of(call: ast.Call) -> dict[str | None, object]:
    """Constant keyword arguments."""
    return {
        entry.arg: entry.value.value
        for entry in call.keywords
        if isinstance(entry.value, ast.Constant)
    }


def dangers(tree: ast.AST) -> Iterator[str]:
    """Say what in a module may run foreign code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules = {(node.module or "").split(".")[0]}
        else:
            modules = set()
        yield from sorted(modules & BANNED_MODULES)
        if isinstance(node, ast.Call):
            yield from danger_of_call(node)


def danger_of_call(call: ast.Call) -> Iterator[str]:
    name, given = name_of(call.func), keywords_of(call)
    if name in BANNED_CALLS:
        yield name
    if name == "torch.load" and given.get("weights_only") is not True:
        yield "torch.load without weights_only"
    if given.get("allow_pickle") is True:
        yield f"{name} with allow_pickle"
    if given.get("shell") is True:
        yield f"{name} with shell"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_foreign_code(path: Path) -> None:
    assert list(dangers(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import pickle", ["pickle"]),
        ("from pickle import loads", ["pickle"]),
        ("eval(text)", ["eval"]),
        ("yaml.load(text)", ["yaml.load"]),
        ("yaml.safe_load(text)", []),
        ("torch.load(path)", ["torch.load without weights_only"]),
        ("torch.load(path, weights_only=True)", []),
        ("np.load(path, allow_pickle=True)", ["np.load with allow_pickle"]),
        ("subprocess.run(words, shell=True)", ["subprocess.run with shell"]),
        ("model.eval()", []),
        ("made().eval()", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_search_finds_what_it_looks_for(code: str, found: list[str]) -> None:
    assert list(dangers(ast.parse(code))) == found
