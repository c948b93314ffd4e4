# SPDX-License-Identifier: Apache-2.0
"""Processes that a verb starts: what is said when one of them fails."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from panoptic_ros.cli.demonstration.processes import Child
from panoptic_ros.core.errors import ConfigError


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
