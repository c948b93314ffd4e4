# SPDX-License-Identifier: Apache-2.0
"""A camera whose images do not come is named once, with what there is instead."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from panoptic_ros.ros.camera.silence_watch import SilenceWatch


class Run:
    """A silence, looked at twice a second."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.warned: list[str] = []
        self.informed: list[str] = []
        self.watch = SilenceWatch(
            "front", self.warned.append, self.informed.append, lambda: self.now_s
        )

    def during(
        self, seconds: float, senders: Sequence[str] = (), others: Sequence[str] = ()
    ) -> None:
        for _ in range(round(2 * seconds)):
            self.now_s += 0.5
            self.watch.look("/image", senders, lambda: others)


@pytest.mark.parametrize(
    ("senders", "others", "words"),
    [
        ((), ("/a/image", "/b/image"), "image topics there are: /a/image, /b/image"),
        ((), (), "nobody publishes images there, nor on any other topic"),
        (("/driver",), (), "/driver publishes there: does it send, with a QoS that fits"),
    ],
)
def test_it_says_what_there_is_instead(
    senders: Sequence[str], others: Sequence[str], words: str
) -> None:
    run = Run()
    run.during(4.5, senders, others)
    assert not run.warned
    run.during(60, senders, others)
    assert len(run.warned) == 1
    assert run.warned[0].startswith("front: no image on /image for 5 s; ")
    assert words in run.warned[0]
    assert run.informed == []


def test_the_end_of_a_silence_is_said_and_the_next_one_again() -> None:
    run = Run()
    run.during(10)
    run.watch.note()
    run.during(1)
    assert run.informed == ["front: images come on /image"]
    run.during(10)
    assert len(run.warned) == 2
