# SPDX-License-Identifier: Apache-2.0
"""Where a verb's files go, and that two runs do not spoil each other's."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.cli.printing.outputs import is_file_name, reserved
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
