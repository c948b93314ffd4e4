# SPDX-License-Identifier: Apache-2.0
"""Newest item wins, nobody starves, nothing is lost unseen."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from panoptic_ros.core.mailbox import Mailbox


def test_the_newest_item_is_taken_and_the_older_one_counted() -> None:
    mailbox: Mailbox[int] = Mailbox()
    assert not mailbox.put("front", 1)
    assert mailbox.put("front", 2)
    assert mailbox.take(0) == ("front", 2)
    assert mailbox.drops("front") == 1
    assert mailbox.take(0) is None


def test_a_fast_camera_does_not_starve_a_slow_one() -> None:
    mailbox: Mailbox[int] = Mailbox()
    mailbox.put("slow", 0)
    served = []
    for number in range(4):
        mailbox.put("fast", number)
        taken = mailbox.take(0)
        assert taken is not None
        served.append(taken[0])
    assert "slow" in served[:2]


def test_a_batch_holds_each_camera_once_and_the_longest_waiting_first() -> None:
    mailbox: Mailbox[int] = Mailbox()
    for camera in "abc":
        mailbox.put(camera, 1)
    assert mailbox.take_batch(2, 0) == [("a", 1), ("b", 1)]
    for camera in "abc":
        mailbox.put(camera, 2)
    assert mailbox.take_batch(2, 0) == [("c", 2), ("a", 2)]
    assert mailbox.take_batch(2, 0) == [("b", 2)]
    assert mailbox.take_batch(2, 0) == []


def test_closing_wakes_the_taker() -> None:
    mailbox: Mailbox[int] = Mailbox()
    taken: list[object] = []
    taker = threading.Thread(target=lambda: taken.append(mailbox.take()), daemon=True)
    taker.start()
    mailbox.close()
    taker.join(60)
    assert taken == [None]
    assert not mailbox.put("front", 1)
    assert mailbox.take(0) is None


def test_an_item_wakes_a_waiting_taker() -> None:
    mailbox: Mailbox[int] = Mailbox()
    taken: list[object] = []
    taker = threading.Thread(target=lambda: taken.append(mailbox.take(60)), daemon=True)
    taker.start()
    mailbox.put("front", 7)
    taker.join(60)
    assert taken == [("front", 7)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=40))
def test_every_item_is_taken_or_dropped(actions: list[tuple[str, bool]]) -> None:
    mailbox: Mailbox[int] = Mailbox()
    put = taken = 0
    newest: dict[str, int] = {}
    for number, (camera, takes) in enumerate(actions):
        mailbox.put(camera, number)
        newest[camera] = number
        put += 1
        got = mailbox.take(0) if takes else None
        if got is not None:
            assert newest.pop(got[0]) == got[1]
            taken += 1
    assert put == taken + mailbox.drops("a") + mailbox.drops("b") + len(newest)
