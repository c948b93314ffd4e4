# SPDX-License-Identifier: Apache-2.0
"""A training on a CPU keeps its memory from step to step."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from panoptic_ros.core.allocation import keep_activations
if sys.argv[1] == "kept":
    keep_activations() or sys.exit(77)

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(100_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
print(faults() / first)
"""


def faults_of_a_second_step(how: str) -> float:
    """Page faults of a block of 100 MB that was freed before, over those of its first use."""
    call = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 77:
        pytest.skip("the C library is not glibc")
    return float(done.stdout)


def test_a_large_block_is_reused_without_clearing_its_pages_again() -> None:
    assert faults_of_a_second_step("kept") < 0.05


def test_without_it_the_pages_are_cleared_each_time() -> None:
    assert faults_of_a_second_step("as it is") > 0.5
