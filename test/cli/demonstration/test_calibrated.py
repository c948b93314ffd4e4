# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic demo --input`` is told about its camera."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.cli.demonstration.calibrated import calibrated, told_to_node
from panoptic_ros.cli.demonstration.session import PlayedCamera, node_command
from panoptic_ros.cli.main import main
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.parameter_file import read_parameters
from panoptic_ros.recordings.open import open_source
from test.drawn.drawn_fleet import street, write_drive
from test.drawn.drawn_inputs import write_folder

CAMERA = """image_width: 64
image_height: 48
camera_matrix: {rows: 3, cols: 3, data: [50, 0, 32, 0, 50, 24, 0, 0, 1]}
"""
POSE = "/**:\n  ros__parameters:\n    ground: {camera_height_m: 1.5, camera_pitch_rad: 0.1}\n"


@pytest.fixture
def camera(tmp_path: Path) -> PlayedCamera:
    return PlayedCamera("", open_source(write_folder(tmp_path / "drive", ["1.png"])))


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_calibration_and_pose_go_to_the_node(camera: PlayedCamera, tmp_path: Path) -> None:
    config = read_parameters(written(tmp_path / "p.yaml", POSE))
    told = calibrated(camera, written(tmp_path / "c.yaml", CAMERA), config)
    assert next(told.source.frames()).camera_info.k[0] == 50.0
    assert told.place is not None
    assert told.place.node_parameters() == {
        "ground.camera_height_m": 1.5,
        "ground.camera_pitch_rad": 0.1,
    }


def test_a_calibration_alone_is_published_and_gives_no_metres(
    camera: PlayedCamera, tmp_path: Path
) -> None:
    told = calibrated(camera, written(tmp_path / "c.yaml", CAMERA), NodeConfig())
    assert next(told.source.frames()).camera_info is not None
    assert told.place is None


def test_without_either_the_camera_stays_as_it_is(camera: PlayedCamera) -> None:
    assert calibrated(camera, None, NodeConfig()) is camera


def test_a_pose_without_calibration_is_refused(camera: PlayedCamera, tmp_path: Path) -> None:
    config = read_parameters(written(tmp_path / "p.yaml", POSE))
    with pytest.raises(ConfigError, match="needs a calibration: give --camera-info"):
        calibrated(camera, None, config)


def test_the_node_of_the_demo_is_told_the_other_parameters(
    camera: PlayedCamera, tmp_path: Path
) -> None:
    text = "cameras: [front, rear]\n    max_rate_hz: [5.0, 2.0]\n    remap: {label: autoware}\n"
    config = read_parameters(written(tmp_path / "p.yaml", f"{POSE}    {text}"))
    told = told_to_node(config, "")
    assert told == {"max_rate_hz": [5.0], "remap.label": "autoware"}
    words = node_command([camera], "drawn", told)
    assert words[-3::2] == ["max_rate_hz:=[5.0]", 'remap.label:="autoware"']


def test_of_several_cameras_the_one_with_the_topic_is_played(tmp_path: Path) -> None:
    text = (
        "cameras: [front, rear]\n    image_topics: ['', /back/image]\n"
        "    ego_mask: ['', '0,40 63,40 63,47 0,47']\n    max_rate_hz: [5.0, 2.0]\n"
    )
    config = read_parameters(written(tmp_path / "p.yaml", f"/**:\n  ros__parameters:\n    {text}"))
    bag = write_drive(tmp_path / "drive.mcap", street(1), ("/back/image/compressed",))
    with open_source(bag) as source:
        told = calibrated(PlayedCamera("", source), None, config)
        assert told.ego_mask == "0,40 63,40 63,47 0,47"
        assert told_to_node(config, source.topic) == {"max_rate_hz": [2.0]}


def test_a_calibration_of_the_demos_own_video_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "c.yaml", CAMERA)
    assert main(["demo", "--camera-info", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "describe the camera of --input" in capsys.readouterr().err
