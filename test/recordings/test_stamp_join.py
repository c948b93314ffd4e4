# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from panoptic_ros.recordings.stamp_join import StampJoin


def test_what_has_one_stamp_comes_together_in_any_order() -> None:
    join = StampJoin[str](("label", "instance"))
    assert join.add(1, "instance", "i1") is None
    assert join.add(2, "label", "l2") is None
    assert join.add(1, "label", "l1") == {"instance": "i1", "label": "l1"}
    assert join.add(2, "instance", "i2") == {"label": "l2", "instance": "i2"}
    assert list(join.rest()) == []


def test_a_message_that_comes_twice_completes_nothing() -> None:
    join = StampJoin[str](("label", "instance"))
    assert join.add(1, "label", "a") is None
    assert join.add(1, "label", "b") is None
    assert join.add(1, "instance", "c") == {"label": "b", "instance": "c"}


def test_the_oldest_stamp_gives_way_when_too_many_wait() -> None:
    join = StampJoin[str](("label", "instance"), most_waiting=2)
    for stamp in (5, 3, 4):
        join.add(stamp, "label", str(stamp))
    assert list(join.overdue()) == [(5, {"label": "5"})]
    assert [stamp for stamp, _ in join.rest()] == [3, 4]


def test_without_a_limit_nothing_is_overdue() -> None:
    join = StampJoin[str](("label", "instance"))
    for stamp in range(100):
        join.add(stamp, "label", "")
    assert list(join.overdue()) == []
