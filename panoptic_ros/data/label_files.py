# SPDX-License-Identifier: Apache-2.0
"""Labelled images of a data set or of predictions: found, named and paired, but not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.errors import DataError, counted
from panoptic_ros.data.annotation import Annotation


@dataclass(frozen=True, eq=False)
class LabelFile:
    """One labelled image.

    Attributes:
        name: Name of its image without ending.
        path: Its file, as messages name it.
        read: Reads it; raises DataError. Of single images it can be pickled.
        image: Path of the image where the data set says it.
        fields: What the data set says of the image besides, e.g. its source, by field.
    """

    name: str
    path: Path
    read: Callable[[], Annotation]
    image: Path | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


Sequences = Mapping[str, Mapping[str, LabelFile]]
"""Files by key by sequence, both in order; single images are in the sequence ``""``."""


def sequence_name(folder: Path) -> str:
    """Name the sequence that a folder is, even where it is given as ``.`` or ``..``.

    >>> sequence_name(Path("drives/0007")), sequence_name(Path()) == Path.cwd().name
    ('0007', True)
    """
    return folder.name if folder.name not in ("", "..") else folder.resolve().name


@dataclass(frozen=True, eq=False)
class LabelFiles:
    """All labelled images.

    Attributes:
        categories: The classes of the annotations; the position is the label.
        sequences: The images.
        is_video: Whether objects keep their ids over the images of a sequence.
        void: Labels of the files that are not evaluated.
        remarks: What whoever reads the scores should know of how they were found.
    """

    categories: tuple[Category, ...]
    sequences: Sequences
    is_video: bool = False
    void: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pair:
    """One image's truth and prediction; ``predicted`` is None where nothing is labelled yet."""

    sequence: str
    truth: LabelFile
    predicted: LabelFile | None = None


def unpaired(truth: Sequences) -> list[Pair]:
    """List the labelled images in order."""
    return [Pair(sequence, file) for sequence, files in truth.items() for file in files.values()]


def paired(truth: Sequences, predicted: Sequences) -> list[Pair]:
    """Find the prediction of every labelled image.

    Args:
        truth: The labelled images.
        predicted: Predictions; those without truth are left alone. Where both have one sequence
            only, its name does not matter.

    Raises:
        DataError: An image has no prediction.
    """
    if len(truth) == len(predicted) == 1:
        predicted = dict(zip(truth, predicted.values(), strict=True))
    pairs = []
    for sequence, files in truth.items():
        found = predicted.get(sequence, {})
        missing = [key for key in files if key not in found]
        if missing:
            stranger = next(iter(found), "") if len(missing) == len(files) else ""
            raise DataError(
                f"{f'sequence {sequence}: ' if sequence else ''}no prediction for "
                f"{len(missing)} of {counted(len(files), 'image')}, the first is "
                f"{_named(missing[0], files[missing[0]])}"
                f"{f'; the predictions are of images like {stranger}' if stranger else ''}"
            )
        pairs += [Pair(sequence, file, found[key]) for key, file in files.items()]
    return pairs


def _named(key: str, file: LabelFile) -> str:
    return key if key == file.name else f"{key} ({file.name})"


def by_key(files: Iterable[tuple[str, LabelFile]]) -> dict[str, LabelFile]:
    """Collect the files of one sequence.

    Raises:
        DataError: Two have the same key.
    """
    found: dict[str, LabelFile] = {}
    for key, file in files:
        if key in found:
            raise DataError(f"{file.path} and {found[key].path} are both of the image {key}")
        found[key] = file
    return found
