# SPDX-License-Identifier: Apache-2.0
"""Video packets between subscription and mailbox: images go on, drops are told by cause."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages.convert import to_frame
from panoptic_ros.messages.video.video_decoder import MISSING, WAITING, VideoDecoder
from panoptic_ros.ros.camera.statistics import CameraStatistics
from panoptic_ros.ros.camera.video_input import VideoInput
from test.drawn.drawn_inputs import number_of
from test.drawn.drawn_video import messages, packets


class Ends:
    """What comes out of a video input."""

    def __init__(self) -> None:
        self.images: list[tuple[Any, int]] = []
        self.drops: list[str] = []
        self.input = VideoInput(
            lambda one, lost: self.images.append((one, lost)), self.drops.append
        )

    def numbers(self) -> list[int]:
        return [number_of(to_frame(one).image) for one, _ in self.images]


def test_still_images_pass_as_they_are() -> None:
    ends = Ends()
    still = SimpleNamespace(format="jpeg", data=b"")
    ends.input.take(still, 3)
    assert ends.images == [(still, 3)]
    assert not ends.input.is_video


def test_what_is_lost_before_a_packet_is_told_with_the_next_image() -> None:
    ends = Ends()
    entries = messages("h264", packets("h264"))
    for number, message in enumerate(entries):
        if number != 6:
            ends.input.take(message, lost=int(number == 7))
    assert ends.numbers() == [0, 1, 2, 3, 4, 5, 10, 11]
    assert [lost for _, lost in ends.images] == [0, 0, 0, 0, 0, 0, 1, 0]
    assert ends.drops == [MISSING, WAITING, WAITING]


def test_a_new_subscription_waits_for_a_key_frame() -> None:
    ends = Ends()
    entries = messages("h264", packets("h264"))
    ends.input.take(entries[0], 0)
    ends.input.restart()
    for message in entries[3:6]:
        ends.input.take(message, 0)
    assert ends.numbers() == [0, 5]
    assert ends.drops == [WAITING, WAITING]


def test_without_pyav_the_cause_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConfigError("video topics need PyAV, which is not installed")

    entries = messages("h264", packets("h264"))
    monkeypatch.setattr(VideoDecoder, "decode", refuse)
    ends = Ends()
    ends.input.take(entries[0], 0)
    assert ends.images == []
    assert "need PyAV" in ends.drops[0]


def test_drops_are_counted_by_cause() -> None:
    statistics = CameraStatistics()
    for cause in (WAITING, MISSING, "a video packet that is damaged"):
        statistics.refuse_packet(cause)
    report = statistics.report()
    assert report.total["dropped_before_key_frame"] == 2
    assert report.total["dropped_unusable"] == 1
    assert report.last_refusal == "a video packet that is damaged"
