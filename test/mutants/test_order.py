# SPDX-License-Identifier: Apache-2.0
"""Which mutants are tried first, and by which process."""

from __future__ import annotations

from test.mutants.mutant import Mutant
from test.mutants.order import in_rounds, shares


def mutant(key: str, *tests: str) -> Mutant:
    return Mutant("panoptic_ros/core/a.py", "", key, "", "", tests or ("test_a.py",), "sampled")


def keys(mutants: list[Mutant]) -> str:
    return "".join(one.before for one in mutants)


def test_rooms_take_turns_so_that_none_is_left_out_when_time_ends() -> None:
    rooms = [[mutant(key) for key in word] for word in ("abc", "d", "ef")]
    assert keys(in_rounds(rooms)) == "adebfc"


def test_mutants_with_the_same_tests_go_to_one_process_in_their_order() -> None:
    many = [mutant(key, "one.py" if key in "abc" else f"{key}.py") for key in "adbecf"]
    shared = [keys(part) for part in shares(many, 2)]
    assert sorted(shared) == ["abc", "def"]
