# SPDX-License-Identifier: Apache-2.0
"""Probabilities of the classes that an object may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panoptic_ros.core.classes.class_votes import probabilities, shares
from panoptic_ros.core.types import VOID

CAR, TRUCK, BUS, TRAIN = 13, 14, 15, 16

votes = st.dictionaries(st.integers(0, 254), st.floats(0.0, 1e6), min_size=1, max_size=6)


@given(votes, st.floats(0.0, 1.0), st.data())
def test_they_sum_to_one_with_the_objects_class_first(
    votes: dict[int, float], score: float, data: st.DataObject
) -> None:
    label = data.draw(st.sampled_from(sorted(votes)))
    found = probabilities(label, score, shares(votes), VOID)
    assert sum(found.values()) == pytest.approx(1.0)
    assert all(0.0 <= one <= 1.0 for one in found.values())
    classes = list(found)
    assert classes[0] == label
    assert classes[-1] == VOID
    assert len(classes) <= 4
    assert found[label] <= score


@pytest.mark.parametrize(("vote", "count"), [(1.0, 2), (0.9999, 1)], ids=["a hundredth", "less"])
def test_a_hundredth_of_the_votes_counts(vote: float, count: int) -> None:
    assert len(shares({CAR: 100.0 - vote, TRUCK: vote})) == count


def test_undivided_votes_leave_the_score_as_it_is() -> None:
    assert probabilities(CAR, 0.75, shares({}), VOID) == {CAR: 0.75, VOID: 0.25}


def test_the_score_is_not_more_than_the_share_of_the_votes() -> None:
    found = probabilities(CAR, 0.9, shares({CAR: 2.0, TRUCK: 2.0}), VOID)
    assert found == {CAR: 0.5, TRUCK: 0.5, VOID: 0.0}


def test_the_two_likeliest_other_classes_are_named() -> None:
    found = probabilities(CAR, 0.4, shares({CAR: 4, BUS: 1, TRUCK: 3, TRAIN: 2}), VOID)
    assert list(found) == [CAR, TRUCK, TRAIN, VOID]
    assert list(found.values()) == pytest.approx([0.4, 0.3, 0.2, 0.1])


def test_a_hundredth_of_the_votes_is_what_a_class_needs() -> None:
    assert shares({CAR: 990.0, BUS: 10.0, TRUCK: 0.0}) == ((CAR, 0.99), (BUS, 0.01))
    assert [label for label, _ in shares({CAR: 991.0, BUS: 9.0})] == [CAR]
