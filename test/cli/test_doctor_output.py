# SPDX-License-Identifier: Apache-2.0
"""What the doctor prints can be copied."""

from __future__ import annotations

import sys

import pytest

from panoptic_ros.cli.diagnosis import checks, environment
from panoptic_ros.cli.diagnosis.checks import FINDING, OK, Check
from panoptic_ros.cli.main import main

LONG = "/opt/" + "a folder of many/" * 8 + "libnvinfer.so.10"


@pytest.mark.parametrize("has_rich", [True, False], ids=["rich", "plain"])
def test_a_path_that_is_longer_than_a_line_stays_in_one_piece(
    has_rich: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not has_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(environment, "gather", lambda: None)
    found = [Check(OK, "TensorRT", f"10.3 in [{LONG}]"), Check(FINDING, "x", "-", f"pip {LONG}")]
    monkeypatch.setattr(checks, "diagnose", lambda here: found)
    monkeypatch.setattr(checks, "verdicts", lambda here: [])
    assert main(["doctor", "--no-transport-check"]) == 1
    said = capsys.readouterr().out
    assert f"TensorRT: 10.3 in [{LONG}]\n" in said
    assert f"-> pip {LONG}\n" in said
