# SPDX-License-Identifier: Apache-2.0
"""Ids are given once, and begin anew behind the largest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.tracking import MAX_ID, Tracker
from test.drawn.drawings import scene
from test.drawn.follower import FRAME_NS, Follower, track_ids


def test_ids_start_over_behind_the_last_and_skip_those_in_use() -> None:
    tracker = Tracker(TrackConfig(lost_after_s=60.0))
    tracker._memory._numbers._next = MAX_ID
    assert track_ids(tracker, scene("11..22")) == [[MAX_ID, 1]]
    tracker._memory._numbers._next = MAX_ID
    later = scene("11..22......33")
    tracks = tracker.update(later, 2 * FRAME_NS, is_new_stream=True)
    assert {track.segment.id: track.id for track in tracks} == {1: MAX_ID, 2: 1, 3: 2}


@pytest.mark.parametrize("then", ["11..22......33", "............33"], ids=["seen", "lost"])
def test_an_id_of_an_object_that_is_followed_is_not_given_again(
    tracker: Tracker, then: str
) -> None:
    assert track_ids(tracker, scene("11..22" + "." * 8)) == [[1, 2]]
    tracker._memory._numbers._next = 1
    tracks = tracker.update(scene(then), 2 * FRAME_NS)
    assert tracks[-1].id == 3


@given(st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_ids_are_unique_in_every_frame_and_equal_runs_agree(gaps_ms: list[int], seed: int) -> None:
    runs = []
    for _ in range(2):
        rng, follower, stamp_ns = np.random.default_rng(seed), Follower(), 0
        run = []
        for gap_ms in gaps_ms:
            stamp_ns += gap_ms * 1_000_000
            rows = ["".join(rng.choice(list("..123456"), 16)) for _ in range(6)]
            ids = [track.id for track in follower.objects(scene(*rows), stamp_ns)]
            assert len(set(ids)) == len(ids)
            assert all(1 <= number <= MAX_ID for number in ids)
            run.append(ids)
        runs.append(run)
    assert runs[0] == runs[1]
