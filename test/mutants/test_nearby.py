# SPDX-License-Identifier: Apache-2.0
"""Which tests a mutant meets."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.mutants.nearby import nearby
from test.mutants.rooms import ROOMS, files

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("room", ROOMS)
def test_tests_lie_near_every_module_that_decides_something(room: str) -> None:
    modules = files(ROOT, room)
    assert modules
    for module in modules:
        assert all((ROOT / name).is_file() for name in nearby(ROOT, module))


def test_a_modules_own_test_comes_first_then_its_folders_then_those_that_import_it() -> None:
    found = nearby(ROOT, "panoptic_ros/core/continuity.py")
    assert found[0] == "test/core/test_continuity.py"
    assert "test/core/test_pipeline.py" in found
    assert "test/core/tracking/test_tracker.py" in nearby(ROOT, "panoptic_ros/core/config.py")
    assert found[-1] == "test/test_flags.py"
    assert len(set(found)) == len(found)


def test_a_module_without_any_test_is_named() -> None:
    with pytest.raises(ValueError, match=r"no test lies near panoptic_ros/nowhere/x\.py"):
        nearby(ROOT, "panoptic_ros/nowhere/x.py")
