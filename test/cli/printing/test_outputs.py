# SPDX-License-Identifier: Apache-2.0
"""Where a verb's files go, and that two runs do not spoil each other's."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.cli.printing.outputs import folder_name, is_file_name, reserved
from panoptic_ros.core.errors import DataError


@pytest.mark.parametrize(
    ("name", "is_file"),
    [("a.mcap", True), ("A.MCAP", True), ("out", False), ("out.d", False), ("there.mcap", False)],
)
def test_an_ending_tells_a_file_from_a_folder(tmp_path: Path, name: str, is_file: bool) -> None:
    (tmp_path / "there.mcap").mkdir()
    assert is_file_name(tmp_path / name, ".mcap") == is_file


def test_two_runs_do_not_write_into_one_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with reserved(tmp_path):
        assert main(["demo", "--out", str(tmp_path)]) == 2
        assert "another run is writing there; wait for it" in capsys.readouterr().err
    with reserved(tmp_path), pytest.raises(ValueError, match="of the block itself"):
        raise ValueError("of the block itself")
    with reserved(tmp_path):
        assert not list(tmp_path.iterdir())


def test_a_folder_is_kept_while_the_first_run_lasts(tmp_path: Path) -> None:
    with reserved(tmp_path), pytest.raises(DataError), reserved(tmp_path):
        pass


@pytest.mark.parametrize("name", ["c5.txt", "result.json", "film.MP4"])
@pytest.mark.parametrize(
    "words",
    [
        ["predict", "images"],
        ["bench"],
        ["eval", "--gt", "val.json"],
        ["demo"],
        ["train", "--data", "street"],
        ["replay", "drive.mp4"],
        ["record"],
        ["calibrate", "images", "--board", "9x6", "--square", "0.025"],
        ["export", "last.pt"],
        ["adopt", "lab.onnx", "--labels", "coco"],
        ["build", "street_fast"],
        ["label", "drive.mcap"],
        ["report", "labels"],
        ["split-crowds", "--gt", "val.json"],
    ],
    ids=lambda words: words[0],
)
def test_a_file_of_a_kind_that_is_not_written_is_no_folder_either(
    words: list[str],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--out", name])
    assert f"argument --out: {name}: needs a folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_may_have_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "run.txt").mkdir()
    assert folder_name(str(tmp_path / "run.txt")) == str(tmp_path / "run.txt")
