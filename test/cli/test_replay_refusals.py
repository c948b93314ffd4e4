# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic replay`` refuses, each in a line that names the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.drawn.drawn_replay import replay, write_images

pytest.importorskip("rosbags")
pytestmark = pytest.mark.usefixtures("painted")


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    return write_images(tmp_path / "drive")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("decode: [", "is not YAML"),
        ("decode:\n  center_threshold: 1", "no 'ros__parameters'"),
        ("/**:\n  ros__parameters:\n    decode:\n      center_threshold: .nan", "finite number"),
        ("/**:\n  ros__parameters:\n    decode:\n      center_threshold: 7.0", "at most 1.0"),
        ("/**:\n  ros__parameters:\n    tracking:\n      min_iuo: 0.1", "'tracking.min_iou'"),
        ("/**:\n  ros__parameters:\n    decode:\n      center_threshold: 1", "write 1.0"),
    ],
    ids=["no YAML", "no node", "NaN", "out of range", "unknown", "whole number"],
)
def test_a_bad_parameter_file_is_refused_with_the_reason(
    drive: Path, tmp_path: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(text)
    assert replay(drive, "--json", tmp_path / "s.json", "--params", tmp_path / "p.yaml") == 2
    assert words in capsys.readouterr().err


def test_an_input_that_is_not_there_is_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert replay("nowhere.mp4") == 2
    assert "nowhere.mp4: no such file or folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["o.png", "o.gif"])
def test_a_film_of_another_kind_is_refused_in_a_line(
    drive: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av")
    assert replay(drive, "--overlay", tmp_path / name) == 2
    assert f"{name}: films are written as .mp4, .mkv, .webm; name it o.mp4" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("option", "name", "cure"),
    [
        ("--report", "r.txt", "end in .html or .htm; name it r.html"),
        ("--report", "r", "name it r.html"),
        ("--json", "s.html", "end in .json; name it s.json"),
        ("--trace", "t.txt", "end in .json; name it t.json"),
        ("--rerun", "r.mcap", "end in .rrd; name it r.rrd"),
    ],
)
def test_a_file_whose_ending_says_something_else_is_refused(
    drive: Path,
    tmp_path: Path,
    option: str,
    name: str,
    cure: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert replay(drive, option, tmp_path / name) == 2
    assert cure in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_page_may_end_in_htm_and_figures_may_go_to_a_device(drive: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    assert replay(drive, "--report", tmp_path / "r.HTM", "--json", "/dev/null") == 0
    assert (tmp_path / "r.HTM").is_file()


@pytest.mark.parametrize(("option", "name"), [("--overlay", "o.mp4"), ("--out", "o.mcap")])
def test_a_run_that_fails_leaves_what_was_there(
    drive: Path, tmp_path: Path, option: str, name: str
) -> None:
    pytest.importorskip("av")
    (tmp_path / name).write_bytes(b"of yesterday")
    for path in drive.iterdir():
        path.write_bytes(b"no image")
    assert replay(drive, option, tmp_path / name) == 2
    assert (tmp_path / name).read_bytes() == b"of yesterday"
    assert {path.name for path in tmp_path.iterdir()} == {"drive", name}


@pytest.mark.parametrize(
    ("option", "name"),
    [("--out", "r.mcap"), ("--report", "r.html"), ("--json", "s.json"), ("--overlay", "o.mp4")],
)
def test_a_place_that_cannot_be_written_is_named(
    drive: Path, tmp_path: Path, option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert replay(drive, option, tmp_path / "file" / name) == 2
    told = capsys.readouterr().err
    assert f"{name}: cannot be written" in told
    assert told.endswith(f"; name another place with {option}\n")


def test_a_file_of_the_folder_is_answered_with_the_option_that_named_the_folder(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r" / "stats.json").mkdir(parents=True)
    assert replay(drive, "--out", tmp_path / "r") == 2
    told = capsys.readouterr().err
    assert "stats.json: cannot be written" in told
    assert told.endswith("; name another place with --out\n")


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("autoware_mask", "says nothing about label set"),
        ("autoware_rois", "bags here have no tier4_perception_msgs"),
        ("", "names no topic: label_info and, where the input has it, camera_info come by"),
        ("camera_info,label_info", "names no topic but camera_info, label_info: "),
        ("remapped/label_info", "remapped/label_info comes with remapped/label; name that one"),
    ],
)
def test_what_would_stay_empty_is_refused(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], topic: str, words: str
) -> None:
    assert replay(drive, "--out", tmp_path / "r.mcap", "--topics", topic) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_topic_is_refused_with_those_that_are(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(drive, "--out", tmp_path / "r.mcap", "--topics", "label,depth") == 2
    assert "no topic depth; there are: " in capsys.readouterr().err


def test_a_refused_run_leaves_no_folder_that_it_made(drive: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    for out in (tmp_path / "a" / "b", kept):
        assert replay(drive, "--out", out, "--topics", "unknown") == 2
    assert not (tmp_path / "a").exists()
    assert kept.is_dir()
