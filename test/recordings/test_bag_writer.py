# SPDX-License-Identifier: Apache-2.0
"""What a killed run has recorded is kept where it cannot be made again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rosbags")

from panoptic_ros.recordings.bag_writer import BagWriter
from panoptic_ros.recordings.open import open_source
from test.drawn.drawn_bags import IMAGE_TYPE, TOPIC, cdr, time_of

ROOT = Path(__file__).parents[2]
KILLED = """
import os, sys
from pathlib import Path
from panoptic_ros.recordings.bag_writer import BagWriter
from test.drawn.drawn_bags import IMAGE_TYPE, TOPIC, cdr, time_of

writer = BagWriter(Path(sys.argv[1]), keeps_unfinished=True)
for number in range(int(sys.argv[2])):
    writer.write_raw(TOPIC, IMAGE_TYPE, cdr(number % 6), time_of(number))
os._exit(0)
"""


def killed(path: Path, messages: int) -> None:
    """Write some messages and die before the bag is finished."""
    command = [sys.executable, "-c", KILLED, str(path), str(messages)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_what_a_killed_run_has_recorded_gets_a_name_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    for number in (1, 2):
        killed(path, 400)
        with BagWriter(path, keeps_unfinished=True) as writer:
            assert writer.unfinished == tmp_path / f"drive.unfinished-{number}.mcap"
    with open_source(tmp_path / "drive.unfinished-1.mcap") as source:
        assert sum(1 for _ in source.frames()) > 100
    names = {entry.name for entry in tmp_path.iterdir()}
    assert names == {"drive.mcap", "drive.unfinished-1.mcap", "drive.unfinished-2.mcap"}


@pytest.mark.parametrize(
    ("messages", "keeps"), [(0, True), (400, False)], ids=["empty", "deleted"]
)
def test_other_leftovers_are_deleted(tmp_path: Path, messages: int, keeps: bool) -> None:
    path = tmp_path / "drive.mcap"
    killed(path, messages)
    with BagWriter(path, keeps_unfinished=keeps) as writer:
        assert writer.unfinished is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["drive.mcap"]


def stopped(path: Path, messages: int, keeps: bool) -> None:
    """Write some messages and fail."""

    def run() -> None:
        with BagWriter(path, keeps_unfinished=keeps) as writer:
            for number in range(messages):
                writer.write_raw(TOPIC, IMAGE_TYPE, cdr(number), time_of(number))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()


@pytest.mark.parametrize(
    ("messages", "keeps", "left"),
    [(0, False, 3), (1, False, 3), (0, True, 3), (1, True, 1)],
    ids=["empty", "part of a run", "empty recording", "recording"],
)
def test_a_run_that_fails_replaces_a_file_only_by_a_recording(
    tmp_path: Path, messages: int, keeps: bool, left: int
) -> None:
    path = tmp_path / "drive.mcap"
    with BagWriter(path) as writer:
        for number in range(3):
            writer.write_raw(TOPIC, IMAGE_TYPE, cdr(number), time_of(number))
    stopped(path, messages, keeps)
    with open_source(path) as source:
        assert sum(1 for _ in source.frames()) == left
    assert [entry.name for entry in tmp_path.iterdir()] == ["drive.mcap"]


def test_a_recording_without_a_message_does_not_replace_another(tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    for messages in (2, 0):
        writer = BagWriter(path, keeps_unfinished=True)
        for number in range(messages):
            writer.write_raw(TOPIC, IMAGE_TYPE, cdr(number), time_of(number))
        writer.close()
        writer.close()
    with open_source(path) as source:
        assert sum(1 for _ in source.frames()) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["drive.mcap"]


def test_a_run_that_fails_without_a_message_leaves_no_bag(tmp_path: Path) -> None:
    stopped(tmp_path / "drive.mcap", 0, keeps=False)
    assert not list(tmp_path.iterdir())
