# SPDX-License-Identifier: Apache-2.0
"""What a seed draws."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHOSEN = ["panoptic_ros/core/camera/turn.py"]

pytest.importorskip("cosmic_ray", reason="make mutants brings it")


def test_a_seed_draws_the_same_mutants_again_and_another_one_others() -> None:
    from test.mutants.sample import sample

    first, again, other = (sample(ROOT, CHOSEN, 3, seed) for seed in (1, 1, 2))
    assert [one.key for one in first] == [one.key for one in again]
    assert {one.key for one in first} != {one.key for one in other}


def test_a_smaller_sample_is_the_start_of_a_larger_one() -> None:
    from test.mutants.sample import sample

    assert sample(ROOT, CHOSEN, 2, 1) == sample(ROOT, CHOSEN, 3, 1)[:2]
