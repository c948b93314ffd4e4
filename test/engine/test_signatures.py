# SPDX-License-Identifier: Apache-2.0
"""Every call that we make of TensorRT fits its signature in every version from 8.6 to 11.

``tensorrt_signatures.json`` is what NVIDIA's own bindings say; ``read_bindings.py`` made it out of
their wheels and says how.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.engine import variant
from test.drawn.read_bindings import CLASSES, signatures

TABLE: dict[str, Any] = json.loads(
    Path(__file__).with_name("tensorrt_signatures.json").read_text(encoding="utf-8")
)
VERSIONS: list[str] = TABLE["versions"]
ROOM = Path(variant.__file__).parent
SOURCES = [
    ROOM / name for name in ("variant.py", "building/build.py", "building/progress.py", "trt.py")
]

Known = dict[str, dict[str, str]]
"""Signatures by version and ``Class.name``."""


def known_signatures() -> Known:
    known: Known = {version: {} for version in VERSIONS}
    for name, marked in TABLE["signatures"].items():
        for text, marks in marked.items():
            for version, mark in zip(VERSIONS, marks, strict=True):
                if mark == "x":
                    known[version][name] = text
    return known


KNOWN = known_signatures()
METHODS = {
    name.partition(".")[2]: name
    for version in KNOWN.values()
    for name, text in version.items()
    if text.startswith("(")
}


def parsed(text: str) -> list[Signature]:
    """Read ``(self: A, b: int, c: bool = True) | (...)``; parameters without ``self``."""
    overloads = []
    for overload in text.split(" | "):
        # Types and defaults may hold commas of their own, always in brackets.
        flat = re.sub(r"\[[^\]]*\]|<[^>]*>", "", overload.strip("()"))
        parameters = []
        for part in flat.split(", ")[1:]:
            name, equals, _ = part.partition(" = ")
            default = None if equals else Parameter.empty
            kind = Parameter.POSITIONAL_OR_KEYWORD
            parameters.append(Parameter(name.split(":")[0], kind, default=default))
        overloads.append(Signature(parameters))
    return overloads


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield our calls of TensorRT: where, ``Class.name`` and the call."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name = node.func.attr
            where = f"{path.name}:{node.lineno}"
            if name == "__init__":
                # Our classes call the constructor of their base by name, with themselves.
                assert isinstance(node.func.value, ast.Attribute)
                yield where, f"{node.func.value.attr}.__init__", _without_self(node)
            elif name in CLASSES:
                yield where, f"{name}.__init__", node
            elif name in METHODS:
                yield where, name, node


def _without_self(call: ast.Call) -> ast.Call:
    return ast.Call(call.func, call.args[1:], call.keywords)


def fits(call: ast.Call, text: str) -> bool:
    arguments = {keyword.arg: None for keyword in call.keywords if keyword.arg}
    for signature in parsed(text):
        try:
            signature.bind(*call.args, **arguments)
        except TypeError:
            continue
        return True
    return False


CALLS = list(calls())
ABSENT = {
    "8.6.1": {"IProgressMonitor.__init__"},
    "11.4.0.106": {"set_dynamic_range"},
}
"""What we call although a version lacks it; each is asked for before."""


def owners(name: str, version: str) -> list[str]:
    """``Class.name`` of every class of a version that has the method; a full name is kept."""
    if "." in name:
        return [name] if name in KNOWN[version] else []
    return [full for full in KNOWN[version] if full.partition(".")[2] == name]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("where", "name", "call"), CALLS, ids=[f"{where} {name}" for where, name, _ in CALLS]
)
def test_a_call_fits_the_signature(where: str, name: str, call: ast.Call, version: str) -> None:
    found = owners(name, version)
    assert found or name in ABSENT.get(version, ()), f"TensorRT {version} has no {name}"
    for full in found:
        text = KNOWN[version][full]
        assert fits(call, text), f"{where}: {ast.unparse(call)} is not {full}{text}"


def test_all_kinds_of_calls_are_looked_at() -> None:
    names = {name for _, name, _ in CALLS}
    assert {"Builder.__init__", "OnnxParser.__init__", "Runtime.__init__"} <= names
    assert {"parse", "build_serialized_network", "execute_async_v3", "set_timing_cache"} <= names
    assert len(CALLS) > 30


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("config.set_timing_cache(cache, ignore_mismatch=False)", True),
        ("config.set_timing_cache(cache)", False),
        ("config.set_timing_cache(cache, ignore=False)", False),
        ("config.set_timing_cache(cache, False, 3)", False),
    ],
)
def test_a_wrong_call_would_be_seen(code: str, right: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    for version in VERSIONS:
        assert fits(call, KNOWN[version]["IBuilderConfig.set_timing_cache"]) is right


def assignments() -> Iterator[tuple[str, str]]:
    """Yield what we assign to objects of TensorRT: where, and the property."""
    properties = {
        name.partition(".")[2] for known in KNOWN.values() for name in known
    } - METHODS.keys()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for target in node.targets if isinstance(node, ast.Assign) else ():
                if isinstance(target, ast.Attribute) and target.attr in properties:
                    yield f"{path.name}:{node.lineno}", target.attr


def test_what_we_assign_can_be_assigned() -> None:
    found = list(assignments())
    assert {"progress_monitor", "DLA_core", "default_device_type"} <= {name for _, name in found}
    for where, name in found:
        for version in VERSIONS:
            for full in owners(name, version):
                assert KNOWN[version][full] == "read and write", f"{where}: {version} {full}"


def overrides() -> Iterator[tuple[str, str, list[str]]]:
    """Yield methods that TensorRT calls: class, name, our parameters without ``self``."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                if not isinstance(base, ast.Attribute) or base.attr not in CLASSES:
                    continue
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and method.name in METHODS:
                        names = [argument.arg for argument in method.args.args[1:]]
                        yield base.attr, method.name, names


def test_what_tensorrt_calls_takes_what_it_gives() -> None:
    found = {(base, name): names for base, name, names in overrides() if name != "__init__"}
    assert {("ILogger", "log"), ("IProgressMonitor", "step_complete")} <= found.keys()
    for (base, name), names in found.items():
        for version in VERSIONS:
            text = KNOWN[version].get(f"{base}.{name}")
            if text is not None:
                assert [list(signature.parameters) for signature in parsed(text)] == [names]


STRONG_CALLS = [entry for entry in CALLS if entry[1] not in ABSENT["11.4.0.106"]]


@pytest.mark.rtx
@pytest.mark.parametrize(
    ("where", "name", "call"),
    STRONG_CALLS,
    ids=[f"{where} {name}" for where, name, _ in STRONG_CALLS],
)
def test_a_call_fits_tensorrt_for_rtx(where: str, name: str, call: ast.Call) -> None:
    import tensorrt_rtx

    known = dict(signatures(tensorrt_rtx))
    found = [
        full for full in known if full == name or ("." not in name and full.endswith(f".{name}"))
    ]
    assert found, f"TensorRT for RTX has no {name}"
    assert all(fits(call, known[full]) for full in found), f"{where}: {ast.unparse(call)}"


def test_the_reader_of_signatures_reads_pybinds_words() -> None:
    (first, second) = parsed("(self: A, b: Dict[str, int], c: X = <X.A: 0>) | (self: A)")
    assert list(first.parameters) == ["b", "c"]
    assert first.parameters["c"].default is None
    assert first.parameters["b"].default is inspect.Parameter.empty
    assert not second.parameters
