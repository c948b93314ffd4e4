# SPDX-License-Identifier: Apache-2.0
"""A file is written as a whole or stays as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from panoptic_ros.core.files.output import check_writable, write_text, written_aside


def test_the_text_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "figures.json"
    write_text(path, "umlauts: ä\n")
    assert path.read_text(encoding="utf-8") == "umlauts: ä\n"
    assert list(path.parent.iterdir()) == [path]


def fail_halfway(path: Path) -> None:
    with written_aside(path) as part:
        part.write_text("half")
        raise RuntimeError("the disk is full")


def test_a_failure_halfway_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text("older")
    with pytest.raises(RuntimeError):
        fail_halfway(path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_what_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / "new", "")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~mask


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("older")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "newer")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "newer"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text(Path("/dev/null"), "gone")
    assert Path("/dev/null").is_char_device()


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "figures.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file/figures.json", "folder"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"directory|exists"):
        check_writable(tmp_path / name)
