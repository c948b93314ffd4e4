# SPDX-License-Identifier: Apache-2.0
"""No module of the package needs itself, however late it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "panoptic_ros"


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def runs(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs at some time: all but the imports that only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from runs(node)


def imported(text: str, known: Mapping[str, object]) -> set[str]:
    """Name the known modules that a module imports, at once or late."""
    found: set[str] = set()
    for node in runs(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in inner}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(known)


def circle(texts: Mapping[str, str]) -> list[str]:
    """Find modules that import each other in a ring; an empty list for none."""
    graph = {name: imported(text, texts) - {name} for name, text in texts.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize(
    ("texts", "ring"),
    [
        ({"a": "import b", "b": ""}, set()),
        ({"a": "import b", "b": "def f():\n    from a import x"}, {"a", "b"}),
        ({"a": "from b import x", "b": "from c import y", "c": "import a"}, {"a", "b", "c"}),
        ({"a": "import b", "b": "if TYPE_CHECKING:\n    import a"}, set()),
    ],
    ids=["a line", "late", "three", "for types only"],
)
def test_a_ring_is_found_where_there_is_one(texts: dict[str, str], ring: set[str]) -> None:
    assert set(circle(texts)) == ring


def test_the_package_has_no_ring() -> None:
    texts = {name: path.read_text(encoding="utf-8") for name, path in SOURCES.items()}
    # Its __init__ hands the public names out, each when it is asked for.
    del texts["panoptic_ros"]
    assert circle(texts) == []
