# SPDX-License-Identifier: Apache-2.0
"""In which order mutants are tried, and by which process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from test.mutants.mutant import Mutant


def in_rounds(rooms: Sequence[Sequence[Mutant]]) -> list[Mutant]:
    """Take one of each room in turn: where time runs out, no room is left out."""
    return [one for turn in zip_longest(*rooms) for one in turn if one is not None]


def shares(mutants: Sequence[Mutant], processes: int) -> list[list[Mutant]]:
    """Share mutants out; those with the same tests go together, as each is timed first.

    Args:
        mutants: In the order in which they shall be tried.
        processes: How many shares.

    Returns:
        About equally many for each process, in their order.
    """
    alike: dict[tuple[str, ...], int] = Counter(one.tests for one in mutants)
    loads, owner = [0] * processes, dict[tuple[str, ...], int]()
    for tests in sorted(alike, key=lambda tests: -alike[tests]):
        owner[tests] = loads.index(min(loads))
        loads[owner[tests]] += alike[tests]
    return [[one for one in mutants if owner[one.tests] == part] for part in range(processes)]
