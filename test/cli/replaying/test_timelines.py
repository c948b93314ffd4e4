# SPDX-License-Identifier: Apache-2.0
"""A replay for other viewers: a trace of the stages, and a recording for Rerun."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from panoptic_ros.cli.main import main
from test.drawn.painted_engine import street

pytestmark = pytest.mark.usefixtures("painted")


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    folder = tmp_path / "drive"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), street(10 + 3 * number)[..., ::-1])
    return folder


def replay(*words: object) -> int:
    return main(["replay", *map(str, words), "--engine", "painted"])


def test_a_trace_has_the_stages_of_each_frame_inside_of_it(drive: Path, tmp_path: Path) -> None:
    assert replay(drive, "--trace", tmp_path / "t.json") == 0
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    frames = [one for one in events if one["name"] == "frame"]
    assert [one["args"]["stamp_ns"] for one in frames] == [
        "1000000000",
        "1100000000",
        "1200000000",
    ]
    for frame in frames:
        end = frame["ts"] + frame["dur"]
        inside = [
            one["name"]
            for one in events
            if one["ph"] == "X" and one is not frame and frame["ts"] <= one["ts"] < end
        ]
        assert {"resize", "infer", "decode", "track", "drivable"} <= set(inside)


def test_rerun_reads_the_recording(drive: Path, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    path = tmp_path / "out.rrd"
    assert replay(drive, "--rerun", path) == 0
    words = [sys.executable, "-m", "rerun", "rrd", "print", str(path)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for name in ("/camera/image/classes", "/camera/image/objects", "/camera/times_ms/infer"):
        assert name in told


def test_a_run_that_fails_leaves_no_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert replay(tmp_path / "empty", "--trace", tmp_path / "t.json") == 2
    assert not (tmp_path / "t.json").exists()
