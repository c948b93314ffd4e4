# SPDX-License-Identifier: Apache-2.0
"""Signals as ``ros2 launch``, a terminal and an impatient person send them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.ros import process

BOTH = (signal.SIGINT, signal.SIGTERM)


class Listening:
    """A process that listens for signals by a clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        self.killed: list[int] = []
        monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: self.now_s))
        monkeypatch.setattr(process.os, "kill", lambda _, number: self.killed.append(number))
        self.request = process._StopRequest()
        self.request.listen()

    def get(self, number: int, after_s: float = 0.0) -> None:
        self.now_s += after_s
        signal.raise_signal(number)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    before = [signal.getsignal(number) for number in BOTH]
    yield Listening(monkeypatch)
    for number, handler in zip(BOTH, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_the_first_signal_asks_for_the_end(listening: Listening, number: int) -> None:
    assert not listening.request.is_set
    listening.get(number)
    assert listening.request.is_set
    assert listening.killed == []


@pytest.mark.parametrize("number", BOTH)
def test_signals_within_two_seconds_are_one_request(listening: Listening, number: int) -> None:
    listening.get(signal.SIGINT)
    listening.get(number, after_s=1.0)
    listening.get(number, after_s=1.0)
    assert listening.killed == []


@pytest.mark.parametrize("number", BOTH)
def test_a_later_signal_ends_the_process_the_hard_way(listening: Listening, number: int) -> None:
    listening.get(signal.SIGINT)
    listening.get(number, after_s=2.125)
    assert listening.killed == [number]
    assert signal.getsignal(number) == signal.SIG_DFL


def test_after_the_end_signals_change_nothing(listening: Listening) -> None:
    listening.request.end()
    for number in BOTH:
        listening.get(number)
    assert not listening.request.is_set
    assert listening.killed == []
