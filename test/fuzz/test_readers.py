# SPDX-License-Identifier: Apache-2.0
"""Damaged input ends in an error of ours: no bare exception, no hang, no fantastic allocation."""

from __future__ import annotations

import random
import resource
from collections.abc import Iterator

import pytest

from panoptic_ros.core.errors import PanopticError
from test.fuzz.mutation import damaged
from test.fuzz.targets import Target, targets

pytest.importorskip("rosbags")

ROUNDS = 150
MORE_MEMORY_B = 1 << 30
TARGETS = targets()


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let no reader take more than ``MORE_MEMORY_B`` beyond what there is."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        used = int(stream.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE_MEMORY_B, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def is_read(target: Target, data: bytes) -> bool:
    """Read; whatever is no ``PanopticError`` goes through."""
    try:
        target.read(data)
    except PanopticError:
        return False
    return True


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_good_input_is_read(target: Target) -> None:
    assert any(is_read(target, seed) for seed in target.seeds)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_damaged_input_is_read_or_refused(target: Target, little_memory: None) -> None:
    draw = random.Random(20)
    for _ in range(ROUNDS):
        is_read(target, damaged(target.seeds, draw))
