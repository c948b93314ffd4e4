# SPDX-License-Identifier: Apache-2.0
"""The history of a training tells every step once, whatever interrupted it."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.model.training.history import FILE_NAME, History, Progress, read_history


def step(number: int, loss: float = 1.0) -> Progress:
    return Progress(number, number / 60, 1e-3, {"semantic": loss}, {})


@pytest.fixture
def three_steps(tmp_path: Path) -> Path:
    history = History(tmp_path, 0)
    for number in (1, 2, 3):
        history.add(step(number))
    return tmp_path


def test_a_folder_without_a_training_has_no_steps(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []


def test_what_was_added_is_read_in_order(three_steps: Path) -> None:
    assert read_history(three_steps) == [step(1), step(2), step(3)]


def test_steps_behind_the_checkpoint_are_told_by_the_run_that_makes_them_again(
    three_steps: Path,
) -> None:
    History(three_steps, 2).add(step(3, loss=0.5))
    assert read_history(three_steps) == [step(1), step(2), step(3, loss=0.5)]


def test_a_new_training_starts_a_new_history(three_steps: Path) -> None:
    History(three_steps, 0)
    assert read_history(three_steps) == []


def test_a_line_that_a_crash_cut_off_is_left_out(three_steps: Path) -> None:
    path = three_steps / FILE_NAME
    path.write_text(path.read_text()[:-9])
    assert read_history(three_steps) == [step(1), step(2)]
    History(three_steps, 2).add(step(3))
    assert read_history(three_steps) == [step(1), step(2), step(3)]


@pytest.mark.parametrize("damage", ["no json\n", '{"step": 1}\n', "[1]\n", b"\xff\n"])
def test_another_file_of_that_name_is_refused_and_kept(
    tmp_path: Path, damage: str | bytes
) -> None:
    path = tmp_path / FILE_NAME
    content = damage if isinstance(damage, bytes) else damage.encode()
    path.write_bytes(content)
    with pytest.raises(DataError, match=FILE_NAME):
        History(tmp_path, 0)
    assert path.read_bytes() == content


def test_a_history_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(DataError, match=FILE_NAME):
        History(tmp_path, 0)
