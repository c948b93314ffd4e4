# SPDX-License-Identifier: Apache-2.0
"""Work is done beside the thread that gives it, in order, one piece at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from panoptic_ros.ros.sender import Sender


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    made.start()
    yield made
    made.close()


def test_whoever_gives_work_does_not_wait_for_it(sender: Sender) -> None:
    may_end, has_ended = threading.Event(), threading.Event()

    def work() -> None:
        may_end.wait(60.0)
        has_ended.set()

    sender.give(work)
    assert not has_ended.is_set()
    may_end.set()
    assert has_ended.wait(60.0)


def test_work_is_done_in_the_order_in_which_it_is_given(sender: Sender) -> None:
    done: list[int] = []
    for number in range(100):
        sender.give(lambda number=number: done.append(number))  # type: ignore[misc]
    sender.close()
    assert done == list(range(100))


def test_no_more_than_one_piece_is_ahead_of_what_is_done(sender: Sender) -> None:
    may_end, is_second_given = threading.Event(), threading.Event()

    def wait() -> None:
        may_end.wait(60.0)

    sender.give(wait)

    def give_second() -> None:
        sender.give(lambda: None)
        is_second_given.set()

    giver = threading.Thread(target=give_second, daemon=True)
    giver.start()
    assert not is_second_given.wait(0.1)
    may_end.set()
    assert is_second_given.wait(60.0)
    giver.join()


def test_close_waits_for_the_work_that_was_given(sender: Sender) -> None:
    may_end, done = threading.Event(), []

    def work() -> None:
        may_end.wait(60.0)
        done.append(1)

    sender.give(work)
    threading.Timer(0.05, may_end.set).start()
    sender.close()
    assert done == [1]


def test_whoever_finishes_waits_and_may_go_on_giving(sender: Sender) -> None:
    done: list[int] = []

    def work() -> None:
        time.sleep(0.02)
        done.append(1)

    sender.give(work)
    sender.finish()
    assert done == [1]
    sender.give(lambda: done.append(2))
    sender.close()
    assert done == [1, 2]


def test_what_work_raises_meets_whoever_finishes(sender: Sender) -> None:
    def fail() -> None:
        raise ValueError("no such topic")

    sender.give(fail)
    with pytest.raises(ValueError, match="no such topic"):
        sender.finish()


def test_what_work_raises_is_kept_and_meets_whoever_gives_the_next(sender: Sender) -> None:
    def fail() -> None:
        raise ValueError("no such topic")

    sender.give(fail)
    with pytest.raises(ValueError, match="no such topic"):
        sender.give(lambda: None)
    assert isinstance(sender.failure, ValueError)
