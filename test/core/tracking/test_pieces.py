# SPDX-License-Identifier: Apache-2.0
"""Objects that something cuts in two, on drawn scenes."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.types import Panoptic
from test.drawn.drawings import scene
from test.drawn.follower import FRAME_NS, track_ids


def cut_by_a_pole(shift: int, is_turned: bool = False) -> Panoptic:
    """A car of 12 cells that has moved by some; the pole is 2 cells wide, or a beam 2 high."""
    row = "..." + "." * shift + "1" * 12 + "." * (25 - shift)
    rows = [row[:20] + "ss" + row[22:].replace("1", "2")] * 8
    return scene(*(map("".join, zip(*rows, strict=True)) if is_turned else rows), scale=2)


def test_what_a_pole_cuts_in_two_stays_one(tracker: Tracker) -> None:
    seen = [tracker.update(cut_by_a_pole(n), (n + 1) * FRAME_NS) for n in range(24)]
    assert [[track.id for track in tracks] for tracks in seen] == [[1]] * 24
    divided = seen[12][0]
    assert len(divided.pieces) == 1
    assert divided.segment.box == (30, 0, 54, 16)
    assert divided.segment.area == 20 * 16


@pytest.mark.parametrize("is_turned", [False, True], ids=["beside", "below"])
def test_the_box_of_what_is_cut_in_two_holds_both_parts_in_every_frame(
    tracker: Tracker, is_turned: bool
) -> None:
    divided = 0
    for number in range(24):
        frame = cut_by_a_pole(number, is_turned)
        (track,) = tracker.update(frame, (number + 1) * FRAME_NS)
        y, x = np.nonzero(np.isin(frame.ids, (track.segment.id, *track.pieces)))
        assert track.segment.box == (x.min(), y.min(), x.max() + 1, y.max() + 1)
        assert track.segment.area == y.size
        divided += bool(track.pieces)
    assert divided > 8


def test_two_objects_that_touch_are_no_pieces(tracker: Tracker) -> None:
    frames = [scene(*["11111" + "2" * n + "." * (8 - n)] * 6, scale=4) for n in range(9)]
    assert track_ids(tracker, *frames)[-1] == [1, 2]


def test_a_scrap_that_the_network_cuts_off_starts_no_track(tracker: Tracker) -> None:
    whole = scene(*["11111111"] * 8, scale=3)
    cut = scene(*["11111111"] * 6, *["11111122"] * 2, scale=3)
    assert [len(ids) for ids in track_ids(tracker, whole, whole, cut)] == [1, 1, 2]
    assert tracker.update(whole, 4 * FRAME_NS)[0].id == 1
    assert len(tracker._memory) == 1


def test_what_stays_cut_off_becomes_an_object(tracker: Tracker) -> None:
    whole = scene(*["11111111"] * 8, scale=3)
    cut = scene(*["11111111"] * 6, *["11111122"] * 2, scale=3)
    assert track_ids(tracker, whole, *[cut] * 12)[-1] == [1, 2]


def test_what_is_cut_off_becomes_an_object_after_half_a_second(tracker: Tracker) -> None:
    whole = scene(*["11111111"] * 8, scale=3)
    cut = scene(*["11111111"] * 6, *["11111122"] * 2, scale=3)
    # When the fifth is seen the four before it have lasted for half a second.
    seen = track_ids(tracker, whole, *[cut] * 5, step_ns=125_000_000)
    assert seen == [[1], *[[1, 0]] * 4, [1, 2]]


def test_what_is_cut_whole_and_cut_again_stays_one_object(tracker: Tracker) -> None:
    whole = scene(*["11111111"] * 8, scale=3)
    cut = scene(*["11111111"] * 6, *["11111122"] * 2, scale=3)
    # Each time it is cut for less than half a second; both times together last longer.
    track_ids(tracker, whole, *[cut] * 4, whole, *[cut] * 4)
    tracks = tracker.update(whole, 11 * FRAME_NS)
    assert [track.id for track in tracks] == [1]
    assert len(tracker._memory) == 1
