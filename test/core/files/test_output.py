# SPDX-License-Identifier: Apache-2.0
"""A file is written as a whole or stays as it was."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.output import (
    _is_device,
    check_writable,
    write_image,
    write_text,
    written_aside,
)


def test_the_text_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "figures.json"
    write_text(path, "umlauts: ä\n")
    assert path.read_text(encoding="utf-8") == "umlauts: ä\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_name_that_is_no_utf_8_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_text(path, os.fsdecode(b"caf\xe9.mcap: \xc3\xa4"))
    assert path.read_text(encoding="utf-8") == "caf\\udce9.mcap: ä"


@pytest.mark.parametrize("name", ["gone/x.png", "x.nothing"])
def test_an_image_that_cannot_be_written_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"{name}: cannot be written"):
        write_image(tmp_path / name, np.zeros((2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_refuses_an_image_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"x\.png: .* \(No space left on device\); free space, or"):
        write_image(tmp_path / "x.png", np.zeros((2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_device_is_a_device(tmp_path: Path) -> None:
    """Else the device would be replaced by a file; so nothing is written here."""
    (tmp_path / "sink.png").symlink_to("/dev/null")
    assert _is_device(tmp_path / "sink.png")
    (tmp_path / "file.png").symlink_to(tmp_path / "target.png")
    assert not _is_device(tmp_path / "file.png")


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
    with pytest.raises(OSError, match=r"(Not|Is) a directory"):
        check_writable(tmp_path / name)


def test_an_image_too_large_for_its_format_is_refused(tmp_path: Path) -> None:
    image = np.zeros((1, 65_501, 3), np.uint8)
    with pytest.raises(DataError, match=r"an image of 65501x1 cannot be written as \.jpg"):
        write_image(tmp_path / "wide.jpg", image)
