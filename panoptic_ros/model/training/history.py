# SPDX-License-Identifier: Apache-2.0
"""The history of a training: a file of one JSON line per step, true over interruptions."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.core.files.output import unwritten

FILE_NAME = "history.jsonl"


@dataclass(frozen=True)
class Progress:
    """One line of the history.

    Attributes:
        step: Steps so far, this one included.
        minutes: Time spent on them over all runs.
        rate: Learning rate of the step.
        losses: By name, the mean over the step's crops.
        scores: Of a validation after the step, in percent; empty without one.
    """

    step: int
    minutes: float
    rate: float
    losses: dict[str, float]
    scores: dict[str, float]


class History:
    """Appends the steps of a run; steps that its checkpoint does not know are made again.

    Args:
        folder: Of the training; it exists.
        step: The step that the run goes on from.

    Raises:
        DataError: The file cannot be written.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._path = folder / FILE_NAME
        known = [progress for progress in read_history(folder) if progress.step <= step]
        aside = self._path.with_suffix(".part")
        try:
            aside.write_text("".join(map(_line, known)), encoding="utf-8")
            os.replace(aside, self._path)
        except OSError as error:
            raise self._refused(error) from error

    def add(self, progress: Progress) -> None:
        """Append a step.

        Raises:
            DataError: The file cannot be written.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(progress))
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> DataError:
        return DataError(unwritten(self._path, error))


def _line(progress: Progress) -> str:
    return json.dumps(asdict(progress)) + "\n"


def read_history(folder: Path) -> list[Progress]:
    """Read the steps of a training.

    Args:
        folder: Of the training.

    Returns:
        Its steps in order, none where there is no file. A last line that a crash cut off is left
        out.

    Raises:
        DataError: The file cannot be read, or another line of it is none of a history.
    """
    path = folder / FILE_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({reason_of(error)})") from error
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    try:
        return [Progress(**json.loads(line)) for line in lines]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{path}: not the history of a training ({error}); move it away"
        ) from error
