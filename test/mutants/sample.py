# SPDX-License-Identifier: Apache-2.0
"""A sample of all mutants that Cosmic Ray's operators make of the modules that decide something.

The sample stays while the code around it changes: each mutant has a number drawn from its own
words and the seed, and those with the least numbers are taken.
"""

from __future__ import annotations

import ast
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names
from parso.tree import NodeOrLeaf

from test.mutants.mutant import Mutant
from test.mutants.nearby import nearby

# Removed decorators and undefined names fail on import and say nothing about tests.
OPERATORS = (
    "ReplaceBinaryOperator",
    "ReplaceComparisonOperator",
    "ReplaceUnaryOperator",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "AddNot",
    "NumberReplacer",
    "ZeroIterationForLoop",
)
# Nodes of the syntax tree that no operator changes; most are of these kinds.
UNCHANGED = (
    "name",
    "string",
    "newline",
    "trailer",
    "atom_expr",
    "arglist",
    "simple_stmt",
    "suite",
)
Position = tuple[int, int]


def sample(root: Path, modules: Iterable[str], number: int, seed: int) -> list[Mutant]:
    """Take mutants of modules, at most one of each place in the code.

    Args:
        root: The repository.
        modules: From the root.
        number: How many.
        seed: Another seed, another sample.

    Returns:
        The mutants, in the order of their numbers.
    """
    drawn: list[tuple[int, str, str, int]] = []
    for file in modules:
        drawn += _places(file, (root / file).read_text(encoding="utf-8"), seed)
    made: list[Mutant] = []
    for _, file, name, occurrence in sorted(drawn):
        if len(made) == number:
            break
        mutant = _mutant(root, file, name, occurrence)
        if mutant is not None:
            made.append(_told_apart(mutant, made))
    return made


def _told_apart(mutant: Mutant, others: list[Mutant]) -> Mutant:
    """Number a mutant where the same line stands in its function twice."""
    keys, number, place = {one.key for one in others}, 1, mutant.place
    while mutant.key in keys:
        number += 1
        mutant = replace(mutant, place=f"{place} #{number}")
    return mutant


def _places(file: str, source: str, seed: int) -> list[tuple[int, str, str, int]]:
    """One mutation of each place: (number, file, operator, occurrence)."""
    lines, types = source.splitlines(), _annotations(source)
    places: dict[Position, list[tuple[int, str, str, int]]] = defaultdict(list)
    nodes = [node for node in ast_nodes(get_ast(source)) if node.type not in UNCHANGED]
    for name in operator_names():
        if not name.split("/")[1].startswith(OPERATORS):
            continue
        for occurrence, (start, end) in enumerate(_positions(nodes, get_operator(name)())):
            if not any(first <= start and end <= last for first, last in types):
                words = f"{seed} {file} {lines[start[0] - 1].strip()} {name} {start[1]}"
                number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big")
                places[start].append((number, file, name, occurrence))
    # The least of several numbers would favour places with many operators.
    return [(_again(min(found)[0]), *min(found)[1:]) for found in places.values()]


def _again(number: int) -> int:
    return int.from_bytes(hashlib.sha256(str(number).encode()).digest()[:8], "big")


def _positions(nodes: list[NodeOrLeaf], operator: Operator) -> Iterator[tuple[Position, Position]]:
    for node in nodes:
        yield from operator.mutation_positions(node)


def _annotations(source: str) -> list[tuple[Position, Position]]:
    """Where types stand: they are never evaluated, so their mutants are no mistakes."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.AnnAssign, ast.arg)):
            found.append(node.annotation)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append(node.returns)
    return [
        ((one.lineno, one.col_offset), (one.end_lineno or 0, one.end_col_offset or 0))
        for one in found
        if one is not None
    ]


def _mutant(root: Path, file: str, name: str, occurrence: int) -> Mutant | None:
    source = (root / file).read_text(encoding="utf-8")
    changed = mutate_code(source, get_operator(name)(), occurrence)
    if changed is None or not _compiles(changed):
        return None
    pairs = zip(source.splitlines(), changed.splitlines(), strict=False)
    number, before, after = next((n, a, b) for n, (a, b) in enumerate(pairs, 1) if a != b)
    place = _function(source, number)
    return Mutant(
        file, place, before.strip(), after.strip(), changed, nearby(root, file), "sampled"
    )


def _function(source: str, line: int) -> str:
    """Name of the innermost function or class around a line; empty outside of all."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: node.lineno).name if around else ""


def _compiles(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
