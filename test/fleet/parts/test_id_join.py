# SPDX-License-Identifier: Apache-2.0
"""Ids across a cut: objects are known again by their masks, others get ids of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Drivable, Frame, Panoptic, Segment, Track
from panoptic_ros.fleet.parts.id_join import IdJoin, JoinedTracks

CAR = 2
STEP_NS = 100_000_000


def seen(row: str, number: int = 0, born: dict[str, int] | None = None) -> Result:
    """A frame of one row of pixels; a digit is the id of an object, a dot is none.

    Args:
        row: The pixels.
        number: Of the frame.
        born: Frame in which an object was born, 0 by default.
    """
    letters = sorted(set(row) - {"."})
    ids = np.array([[letters.index(one) + 1 if one != "." else 0 for one in row]], np.uint16)
    segments = tuple(
        Segment(place, CAR, 0.9, row.count(letter), (0, 0, 1, 1))
        for place, letter in enumerate(letters, start=1)
    )
    tracks = tuple(
        Track(int(letter), segment, CAR, 0.9, (born or {}).get(letter, 0) * STEP_NS)
        for letter, segment in zip(letters, segments, strict=True)
    )
    labels = np.full(ids.shape, CAR, np.uint8)
    panoptic = Panoptic(labels, ids, labels, segments)
    image = np.zeros((*ids.shape, 3), np.uint8)
    empty = Drivable(ids > 9, labels, np.zeros(ids.shape[1], np.int32))
    return Result(Frame(image, number * STEP_NS), panoptic, tracks, empty)


def joined(*pairs: tuple[str, str]) -> dict[int, int]:
    """Ids of the earlier part for ids of the later one, after frames that both have seen."""
    join = IdJoin()
    for number, (earlier, later) in enumerate(pairs):
        join.update(seen(earlier, number), seen(later, number))
    return {later: earlier for (later, _), (earlier, _) in join.result().items()}


def test_masks_that_overlap_by_more_than_a_half_are_one_object() -> None:
    assert joined(("44477..", "..11222")) == {}
    assert joined(("4447777", ".112222")) == {1: 4, 2: 7}


def test_the_last_frame_in_which_masks_match_decides() -> None:
    assert joined(("44..", "11.."), ("44..", "22..")) == {2: 4}
    assert joined(("44..", "11.."), ("55..", "11..")) == {1: 5}


def test_an_object_that_is_hidden_at_the_cut_keeps_what_was_found_before() -> None:
    assert joined(("44.7", "11.2"), ("...7", "...2")) == {1: 4, 2: 7}


def test_a_link_that_is_replaced_leaves_others_alone() -> None:
    assert joined(("44.77", "11.22"), ("44.77", "22.11"), ("66.77", "22.11")) == {2: 6, 1: 7}


def ids_of(ids: JoinedTracks, *rows: str, first: int = 0) -> list[list[int]]:
    results = (ids.renumber(seen(row, first + number)) for number, row in enumerate(rows))
    return [[track.id for track in result.tracks] for result in results]


def test_the_first_part_keeps_its_ids() -> None:
    assert ids_of(JoinedTracks(1.0), "1..", "12.", ".23") == [[1], [1, 2], [2, 3]]


def test_objects_of_the_next_part_get_the_id_that_they_had_or_the_next_one() -> None:
    ids = JoinedTracks(1.0)
    ids_of(ids, "123")
    ids.start({(1, 0): (3, 0)})
    assert ids_of(ids, "1..", "14.", ".47", first=1) == [[3], [3, 4], [4, 5]]


def test_an_object_is_as_old_as_it_was_before_the_cut() -> None:
    ids = JoinedTracks(1.0)
    ids_of(ids, "1")
    ids.start({(1, 40 * STEP_NS): (1, 0)})
    (track,) = ids.renumber(seen("1", 50, {"1": 40})).tracks
    assert (track.id, track.born_ns, round(track.age_s, 6)) == (1, 0, 5.0)


def test_an_id_that_is_given_again_within_a_part_is_another_object() -> None:
    ids = JoinedTracks(1.0)
    first = ids.renumber(seen("1", 0))
    again = ids.renumber(seen("1", 90, {"1": 90}))
    assert [first.tracks[0].id, again.tracks[0].id] == [1, 2]


def test_pixels_have_the_joined_ids() -> None:
    ids = JoinedTracks(1.0)
    ids_of(ids, "1234")
    ids.start({(1, 0): (4, 0), (2, 0): (3, 0)})
    assert ids.renumber(seen("1.2", 1)).track_ids().tolist() == [[4, 0, 3]]


def test_the_class_is_voted_and_the_score_smoothed_over_all_parts() -> None:
    def part(label: int, score: float, *numbers: int) -> list[Result]:
        found = []
        for number in numbers:
            (track,) = seen("1", number).tracks
            segment = replace(track.segment, label=label, score=score)
            found.append(replace(seen("1", number), tracks=(replace(track, segment=segment),)))
        return found

    ids = JoinedTracks(1.0)
    for result in part(CAR, 0.9, 0, 1, 2):
        ids.renumber(result)
    ids.start({(1, 0): (1, 0)})
    told = [ids.renumber(result).tracks[0] for result in part(CAR + 1, 0.4, 3)]
    assert [(track.label, round(track.score, 6)) for track in told] == [(CAR, 0.8)]
