# SPDX-License-Identifier: Apache-2.0
"""Many images lost on their way are said once, with topic, sender and cure; few are not."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.ros.camera.loss_watch import LossWatch


class Run:
    """A camera of 20 images a second, of which every so-many-th arrives."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.warnings: list[str] = []
        self.watch = LossWatch("front", "do this", self.warnings.append, lambda: self.now_s)

    def come(self, count: int, lost: int) -> None:
        """Let images come at once, the first after some that were lost."""
        for number in range(count):
            self.watch.note(0 if number else lost)
        self.watch.look("/front/image", ["/driver"])

    def during(self, seconds: float, lost_share: float) -> str:
        owed = 0.0
        for _ in range(round(seconds * 20 * (1 - lost_share))):
            self.now_s += 1 / (20 * (1 - lost_share))
            owed += lost_share / (1 - lost_share)
            self.watch.note(int(owed + 1e-9))
            owed -= int(owed + 1e-9)
            self.watch.look("/front/image", ["/driver"])
        return self.watch.problem


@pytest.mark.parametrize(
    ("lost_share", "is_said"), [(0.0, False), (0.08, False), (0.12, True), (0.5, True)]
)
def test_more_than_a_tenth_is_said_and_less_is_not(lost_share: float, is_said: bool) -> None:
    assert bool(Run().during(20.0, lost_share)) == is_said


@pytest.mark.parametrize(("came", "lost", "is_said"), [(90, 10, False), (89, 11, True)])
def test_a_tenth_is_not_yet_said(came: int, lost: int, is_said: bool) -> None:
    run = Run()
    run.come(came, lost)
    assert bool(run.warnings) == is_said


@pytest.mark.parametrize(("came", "lost", "holds"), [(95, 5, True), (96, 4, False)])
def test_a_twentieth_still_holds_a_warning(came: int, lost: int, holds: bool) -> None:
    run = Run()
    run.during(10.0, 0.5)
    run.now_s += 60.0
    run.come(came, lost)
    assert bool(run.watch.problem) == holds


@pytest.mark.parametrize(("came", "is_said"), [(5, True), (4, False)])
def test_ten_images_are_enough_to_judge(came: int, is_said: bool) -> None:
    run = Run()
    run.come(came, 5)
    assert bool(run.warnings) == is_said


def test_topic_sender_and_cure_are_named() -> None:
    run = Run()
    said = run.during(10.0, 0.5)
    assert "images on /front/image were lost" in said
    assert "sent by /driver: do this" in said
    assert run.warnings[0].startswith("front: ")


def test_losses_that_go_on_are_logged_once_and_again_after_they_had_ended() -> None:
    run = Run()
    run.during(30.0, 0.3)
    assert len(run.warnings) == 1
    assert run.during(10.0, 0.0) == ""
    run.during(10.0, 0.3)
    assert len(run.warnings) == 2


def test_shares_around_the_limit_do_not_fill_the_log() -> None:
    run = Run()
    for _ in range(10):
        run.during(6.0, 0.12)
        run.during(6.0, 0.08)
    assert len(run.warnings) == 1


@pytest.mark.parametrize(("later_s", "holds"), [(5.0, True), (5.5, False)])
def test_the_last_five_seconds_are_judged(later_s: float, holds: bool) -> None:
    run = Run()
    run.come(89, 11)
    run.now_s += later_s
    run.watch.look("/front/image", [])
    assert bool(run.watch.problem) == holds


def test_a_pause_is_no_loss() -> None:
    run = Run()
    run.during(10.0, 0.3)
    run.now_s += 60.0
    run.watch.look("/front/image", [])
    assert run.watch.problem == ""
