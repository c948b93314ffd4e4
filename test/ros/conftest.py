# SPDX-License-Identifier: Apache-2.0
"""Nodes in this process."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from test.drawn.processes import Start, python_processes

collect_ignore: list[str] = []
if find_spec("rclpy") is None:
    # Importing them needs rclpy at the top; the other tests of this folder do not.
    here = Path(__file__).parent
    collect_ignore += [path.name for path in here.glob("test_node*.py")] + ["test_consumers.py"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python processes."""
    with python_processes() as begin:
        yield begin


@pytest.fixture
def bench_of() -> Iterator[Callable[..., Any]]:
    """Makes second nodes in this process, which spin those that are handed to them."""
    from test.drawn.graph import Bench

    made: list[Bench] = []

    def make(*nodes: Any) -> Bench:
        made.append(Bench(*nodes))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(bench_of: Callable[..., Any]) -> Any:
    """A second node in this process."""
    return bench_of()


@pytest.fixture
def make_node(tiny_model: Path) -> Iterator[Callable[..., Any]]:
    """Makes nodes of given parameters in this process, and closes them."""
    from rclpy.parameter import Parameter

    from panoptic_ros.ros.node import PanopticNode
    from test.drawn.graph import ros

    made: list[PanopticNode] = []

    def make(namespace: str = "", **parameters: Any) -> PanopticNode:
        values = {"engine": str(tiny_model), "diagnostics_period_s": 0.2, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        made.append(PanopticNode(namespace=namespace, parameter_overrides=overrides))
        return made[-1]

    with ros():
        yield make
        while made:
            node = made.pop()
            node.close()
            node.destroy_node()
            # A lifecycle node's state machine keeps its DDS participant until Python frees the
            # cycle; on one host Fast DDS finds 32 participants of a domain and no more.
            del node
        gc.collect()
