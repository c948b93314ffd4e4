# SPDX-License-Identifier: Apache-2.0
"""``panoptic replay`` of a camera that is placed by hand: the topics in metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from test.drawn.drawn_replay import FRAMES, messages, replay, write_images

pytest.importorskip("rosbags")
pytestmark = pytest.mark.usefixtures("painted")


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    return write_images(tmp_path / "drive")


CAMERA = """image_width: 128
image_height: 96
camera_matrix: {rows: 3, cols: 3, data: [100, 0, 64, 0, 100, 48, 0, 0, 1]}
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
"""


HEIGHT_M = 1.5
PLACED = f"/**:\n  ros__parameters:\n    ground: {{camera_height_m: {HEIGHT_M}, length_m: 20.0}}\n"
IN_METRES = {"drivable_grid", "drivable_boundary", "free_space/scan", "free_space/points"}


@pytest.fixture
def placed(tmp_path: Path) -> list[object]:
    """Options that say how the camera sees and where it sits."""
    (tmp_path / "camera.yaml").write_text(CAMERA)
    (tmp_path / "params.yaml").write_text(PLACED)
    return ["--camera-info", tmp_path / "camera.yaml", "--params", tmp_path / "params.yaml"]


def test_a_placed_camera_gives_the_topics_in_metres(
    drive: Path, tmp_path: Path, placed: list[object]
) -> None:
    assert replay(drive, "--out", tmp_path / "r.mcap", *placed) == 0
    found = messages(tmp_path / "r.mcap")
    assert {f"/panoptic/{name}" for name in IN_METRES} <= set(found)
    assert {len(found[f"/panoptic/{name}"]) for name in IN_METRES} == {FRAMES}
    grid = found["/panoptic/drivable_grid"][0][1]
    assert (grid.header.frame_id, grid.info.width, grid.info.height) == ("base_link", 100, 100)
    assert {0, 100} <= set(grid.data.tolist())
    scan = found["/panoptic/free_space/scan"][0][1]
    # The car's lower edge is 20 rows below the horizon, at the columns from 20 to 43.
    bearing = np.arctan2(64 - 32, 100)
    ahead = HEIGHT_M * 100 / 20
    seen = scan.ranges[round((bearing - scan.angle_min) / scan.angle_increment)]
    assert seen == pytest.approx(ahead / np.cos(bearing), abs=0.5)


def test_the_report_of_a_placed_camera_shows_the_ground(
    drive: Path, tmp_path: Path, placed: list[object]
) -> None:
    pytest.importorskip("jinja2")
    assert replay(drive, "--report", tmp_path / "r.html", *placed) == 0
    assert (tmp_path / "r.html").read_text().count("data:image/jpeg;base64,") == 6 * FRAMES


def test_topics_in_metres_need_a_placed_camera(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(drive, "--out", tmp_path / "r.mcap", "--topics", "drivable_grid") == 2
    assert "set ground.camera_height_m (--params)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("left_out", "words"),
    [("--camera-info", "there is no camera_info"), ("--params", "set ground.camera_height_m")],
)
def test_half_of_what_metres_need_is_told(
    drive: Path,
    tmp_path: Path,
    placed: list[object],
    left_out: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    at = placed.index(left_out)
    rest = placed[:at] + placed[at + 2 :]
    assert replay(drive, "--json", tmp_path / "s.json", *rest) == 0
    told = capsys.readouterr().err
    assert "ground topics are off: " in told
    assert words in told
