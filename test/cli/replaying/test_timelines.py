# SPDX-License-Identifier: Apache-2.0
"""A replay for other viewers: a trace of the stages, and a recording for Rerun."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.cli.replaying.timelines import from_above
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


def test_a_grid_is_drawn_from_above_with_ahead_up_and_left_on_the_left() -> None:
    # Rows run to the left, columns ahead: occupied straight ahead on the right, free on the left.
    cells = np.array([[-1, 100], [-1, 50], [0, 0]], np.int8)
    assert from_above(cells).tolist() == [[1, 2, 2], [1, 0, 0]]


def test_rerun_gets_the_ground_where_the_camera_is_known(drive: Path, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    info = tmp_path / "camera.yaml"
    height, width = street(10).shape[:2]
    matrix = [width, 0, width / 2, 0, width, height / 2, 0, 0, 1]
    text = {
        "image_width": width,
        "image_height": height,
        "camera_matrix": {"rows": 3, "cols": 3, "data": matrix},
        "distortion_model": "plumb_bob",
        "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0, 0, 0, 0, 0]},
    }
    info.write_text(json.dumps(text))
    params = tmp_path / "params.yaml"
    params.write_text("/**: {ros__parameters: {ground.camera_height_m: 1.5}}\n")
    path = tmp_path / "out.rrd"
    assert replay(drive, "--rerun", path, "--camera-info", info, "--params", params) == 0
    words = [sys.executable, "-m", "rerun", "rrd", "print", str(path)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "/camera/ground/grid" in told


def test_a_run_that_fails_leaves_no_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert replay(tmp_path / "empty", "--trace", tmp_path / "t.json") == 2
    assert not (tmp_path / "t.json").exists()
