# SPDX-License-Identifier: Apache-2.0
"""Where a bag is cut: every time belongs to one part, and cuts prefer the borders of chunks."""

from __future__ import annotations

import pytest

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.fleet.parts.cut import Cut, parts_of

SECOND_NS = 1_000_000_000
CUT = Cut(60.0, 5.0)


def seconds_of(span_s: tuple[float, float], breaks_s: tuple[float, ...] = ()) -> list[object]:
    """First second of the results and first second that is read, of every part."""
    span_ns = (round(span_s[0] * SECOND_NS), round(span_s[1] * SECOND_NS))
    breaks_ns = [round(one * SECOND_NS) for one in breaks_s]
    parts = parts_of(span_ns, breaks_ns, CUT)
    return [(part.start_ns / SECOND_NS, part.read_from_ns / SECOND_NS) for part in parts]


@pytest.mark.parametrize(
    ("span_s", "starts"),
    [
        ((100, 160), []),
        ((100, 161), [(0, 0), (130.5, 125.5)]),
        ((100, 280), [(0, 0), (160, 155), (220, 215)]),
    ],
    ids=["as long as a part", "a little longer", "three parts"],
)
def test_parts_are_of_equal_length(span_s: tuple[float, float], starts: list[object]) -> None:
    assert seconds_of(span_s) == starts


def test_a_cut_moves_to_a_chunk_that_begins_near() -> None:
    assert seconds_of((100, 220), (100.0, 157.0, 163.5, 190.0)) == [(0, 0), (157, 152)]


@pytest.mark.parametrize(("break_s", "start_s"), [(154.0, 154.0), (166.0, 166.0), (153.9, 160.0)])
def test_near_is_up_to_a_tenth_of_a_part(break_s: float, start_s: float) -> None:
    assert seconds_of((100, 220), (break_s,)) == [(0, 0), (start_s, start_s - 5)]


def test_a_cut_stays_where_no_chunk_begins_near() -> None:
    assert seconds_of((100, 220), (100.0, 120.0, 200.0)) == [(0, 0), (160, 155)]


def test_a_part_ends_where_the_next_begins_and_the_last_has_no_end() -> None:
    parts = parts_of((0, 200 * SECOND_NS), (), CUT)
    assert [part.end_ns for part in parts] == [part.start_ns for part in parts[1:]] + [None]


@pytest.mark.parametrize(("span_ns", "cut"), [(None, CUT), ((0, 999 * SECOND_NS), None)])
def test_what_is_not_to_be_cut_or_has_no_known_length_stays_whole(
    span_ns: tuple[int, int] | None, cut: Cut | None
) -> None:
    assert parts_of(span_ns, (), cut) == ()


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (Cut(60.0, 1.0), "--overlap-s is 1, needs more than tracking.lost_after_s"),
        (Cut(60.0, float("nan")), "--overlap-s is nan"),
        (Cut(19.0, 5.0), "--cut-s is 19, needs 4 times --overlap-s"),
        (Cut(float("inf"), 5.0), "--cut-s is inf"),
    ],
)
def test_lengths_that_would_lose_ids_are_refused(cut: Cut, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        cut.check(lost_after_s=1.0)


def test_a_part_may_be_exactly_as_short_as_is_said() -> None:
    Cut(20.0, 5.0).check(lost_after_s=4.9)
