# SPDX-License-Identifier: Apache-2.0
"""Where mistakes are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.mutants.rooms import modules

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("place", ["panoptic_ros/nowhere", "panoptic_ros/core/synthetic"])
def test_places_without_a_module_that_decides_something_are_refused(place: str) -> None:
    with pytest.raises(ValueError, match=place):
        modules(ROOT, [place])


def test_a_folder_and_a_module_in_it_are_each_module_once() -> None:
    found = modules(ROOT, ["panoptic_ros/core/drivable", "panoptic_ros/core/drivable/filter.py"])
    assert "panoptic_ros/core/drivable/temporal.py" in found
    assert found.count("panoptic_ros/core/drivable/filter.py") == 1
