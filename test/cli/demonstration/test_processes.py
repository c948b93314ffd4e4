# SPDX-License-Identifier: Apache-2.0
"""Processes that a verb starts: what is said when one of them fails."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from panoptic_ros.cli.demonstration import processes
from panoptic_ros.cli.demonstration.processes import Child
from panoptic_ros.core.errors import ConfigError

DEAF = """
import signal, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("code", "free", "words"),
    [
        ("print('out of paper'); raise SystemExit(3)", 10**9, "status 3; it said: out of paper"),
        ("raise SystemExit(1)", 10**9, "status 1; it said: nothing"),
        ("raise SystemExit(1)", 1000, "is full; name another folder with --out"),
    ],
    ids=["words", "silence", "full disk"],
)
def test_a_process_that_fails_is_quoted(
    tmp_path: Path, code: str, free: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    with Child("recorder", [sys.executable, "-c", code], tmp_path / "r.log") as child:
        child._process.wait()
        with pytest.raises(ConfigError, match=words):
            child.check()


@pytest.mark.parametrize("is_stopped", [True, False], ids=["stop", "end of the block"])
def test_a_process_that_ignores_the_request_is_killed(
    tmp_path: Path, is_stopped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_S", 0.2)
    log = tmp_path / "r.log"
    with Child("recorder", [sys.executable, "-c", DEAF], log) as child:
        while not log.read_text():
            time.sleep(0.02)
        if is_stopped:
            with pytest.raises(ConfigError, match=r"status -9; it said: deaf"):
                child.stop()
    assert child._process.returncode == -signal.SIGKILL
