# SPDX-License-Identifier: Apache-2.0
"""What comes next in a call, and when the fate of a bag is known."""

from __future__ import annotations

from typing import Any

import pytest

from panoptic_ros.fleet import task_queue
from panoptic_ros.fleet.bag_report import BUSY, FAILED, OK, SKIPPED, BagReport
from panoptic_ros.fleet.task import Task, Unfinished
from panoptic_ros.fleet.task_queue import Outcome, TaskQueue


class GiverUp:
    """Says which bag was given up, and writes nothing."""

    def give_up(self, uri: str, why: str) -> BagReport:
        return BagReport(uri, uri, FAILED, why)


def queue(*uris: str) -> TaskQueue:
    giver_up: Any = GiverUp()
    return TaskQueue(uris, giver_up)


def settled(tasks: TaskQueue, report: BagReport | Unfinished) -> BagReport | None:
    task = tasks.next()
    assert task is not None
    return tasks.settle(Outcome(task, report))


def rest(tasks: TaskQueue) -> list[tuple[str, int | None]]:
    found = []
    while (task := tasks.next()) is not None:
        found.append((task.uri, task.part))
    return found


def test_parts_of_a_bag_come_before_other_bags_and_the_bag_once_more_after_all() -> None:
    tasks = queue("a", "b")
    assert settled(tasks, Unfinished((0, 2))) is None
    assert [settled(tasks, Unfinished()), settled(tasks, Unfinished())] == [None, None]
    assert rest(tasks) == [("a", None), ("b", None)]


def test_a_part_that_fails_fails_the_bag_and_the_other_parts_are_left_out() -> None:
    tasks = queue("a", "b")
    settled(tasks, Unfinished((0, 1, 2)))
    at_work = tasks.next()
    assert at_work == Task("a", 0)
    report = settled(tasks, BagReport("a", "a", FAILED, "part 1: full"))
    assert report is not None
    assert (report.status, report.error) == (FAILED, "part 1: full")
    assert tasks.settle(Outcome(at_work, Unfinished())) is None
    assert rest(tasks) == [("b", None)]


def test_a_part_that_ends_its_workers_is_named() -> None:
    tasks = queue("a")
    settled(tasks, Unfinished((3,)))
    for fate in (None, "part 3: died, 2 times; given up"):
        task = tasks.next()
        assert task == Task("a", 3)
        report = tasks.settle(Outcome(task, death="died"))
        assert (report.error if report else None) == fate
    assert rest(tasks) == []


def test_parts_are_left_out_when_another_call_has_finished_the_bag() -> None:
    tasks = queue("a")
    settled(tasks, Unfinished((0, 1)))
    done = BagReport("a", "a", SKIPPED, "was labelled before")
    assert settled(tasks, done) is done
    assert rest(tasks) == []


def test_a_part_that_another_call_has_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_queue, "BUSY_WAIT_S", 0.0)
    tasks = queue("a")
    settled(tasks, Unfinished((0, 1)))
    assert settled(tasks, BagReport("a", "a", SKIPPED, BUSY)) is None
    assert rest(tasks) == [("a", 1), ("a", 0)]


def test_the_fate_of_a_bag_is_said_once() -> None:
    tasks = queue("a")
    report = BagReport("a", "a", OK)
    assert settled(tasks, report) is report
    assert tasks.next() is None


def test_a_bag_that_is_stuck_is_given_up_at_once() -> None:
    tasks = queue("a")
    task = tasks.next()
    assert task is not None
    report = tasks.settle(Outcome(task, death="was stuck", is_final=True))
    assert report is not None
    assert report.error == "was stuck; given up"
    assert rest(tasks) == []


def test_a_busy_bag_waits_its_time_behind_fresh_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(task_queue.time, "monotonic", lambda: now_s)
    tasks = queue("a", "b")
    assert tasks.wait_s is None
    assert settled(tasks, BagReport("a", "a", SKIPPED, BUSY)) is None
    assert rest(tasks) == [("b", None)]
    now_s += task_queue.BUSY_WAIT_S - 1.0
    assert (tasks.wait_s, tasks.next()) == (1.0, None)
    now_s += 1.0
    assert tasks.wait_s == 0.0
    assert rest(tasks) == [("a", None)]
