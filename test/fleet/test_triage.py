# SPDX-License-Identifier: Apache-2.0
"""Images of the frames to look at; what cannot be read is said."""

from __future__ import annotations

from pathlib import Path

from panoptic_ros.fleet.summary import HardFrame
from panoptic_ros.fleet.triage import write_images


def hard(uri: Path, rank: int) -> HardFrame:
    return HardFrame(rank, "uncertain", 0.4, str(uri), uri.name, "/camera/image_raw", 17)


def test_each_bag_that_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    gone, torn = tmp_path / "gone.mcap", tmp_path / "torn.mcap"
    torn.write_bytes(b"")
    frames = [hard(gone, 0), hard(gone, 1), hard(torn, 2)]
    problems = write_images(tmp_path / "images", frames, 1 << 20)
    assert [problem.partition(": ")[0] for problem in problems] == [str(gone), str(torn)]
    assert "no such file or folder" in problems[0]


def test_nothing_to_look_at_is_no_problem(tmp_path: Path) -> None:
    assert write_images(tmp_path / "images", [], 1 << 20) == []
