# SPDX-License-Identifier: Apache-2.0
"""Freed memory stays in the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from panoptic_ros.core.allocation import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def frame():
    return [np.full(1 << 20, 1, np.uint8) for _ in range(8)]
for _ in range(3):
    frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, mode], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_frames_after_the_first_cost_no_page_faults() -> None:
    assert page_faults("keep") < 200
