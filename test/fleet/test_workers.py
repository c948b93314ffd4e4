# SPDX-License-Identifier: Apache-2.0
"""A worker's end, and what is said of it."""

from __future__ import annotations

import multiprocessing
import os
from types import SimpleNamespace

import pytest

from panoptic_ros.fleet import workers


def test_a_worker_ends_when_its_caller_has(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: None)
    workers._end_with_caller()
    assert ended == []
    ours, theirs = multiprocessing.Pipe()
    caller = SimpleNamespace(sentinel=ours)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: caller)
    theirs.close()
    workers._end_with_caller()
    assert ended == [1]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, "its worker ended with status None"),
        (0, "its worker ended with status 0"),
        (3, "its worker ended with status 3"),
        (-9, "its worker was ended by SIGKILL; perhaps memory ran out"),
        (-11, "its worker was ended by SIGSEGV"),
    ],
)
def test_a_workers_end_is_told_by_its_status(code: int | None, told: str) -> None:
    assert workers._death(code) == told
