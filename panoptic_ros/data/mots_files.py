# SPDX-License-Identifier: Apache-2.0
"""KITTI MOTS data sets and results as label files: images, or one text file per sequence."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.annotation import Annotation, MapAnnotation
from panoptic_ros.data.format import DataSetLocation, Format, map_file
from panoptic_ros.data.kitti_mots import CATEGORIES, TracksFile, read_instances
from panoptic_ros.data.kitti_step import find_sequences
from panoptic_ros.data.label_files import LabelFile, LabelFiles


def find(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    """Find the frames of every sequence.

    Args:
        place: Its labels are ``instances`` (a folder of images per sequence, or one such folder),
            ``instances_txt`` (a text file per sequence), or one text file. Its images, a folder
            per sequence, say which frames a text file is about.
        truth: The truth that these are predictions for; it says so as well. Without both, a text
            file is about frames 0 to the last one it names.

    Raises:
        DataError: There are none, or a text file is wrong.
    """
    labels = place.labels
    texts = [labels] if labels.is_file() else sorted(labels.glob("*.txt"))
    if not texts:
        return _images(labels, truth is None)
    is_only = len(texts) == 1
    sequences = {path.stem: _tracks(path, place.images, truth, is_only) for path in texts}
    return LabelFiles(CATEGORIES, sequences, is_video=True)


def _images(place: Path, is_truth: bool) -> LabelFiles:
    sequences = {
        sequence: {
            _key(stem): map_file(path, read_instances, CATEGORIES, is_truth)
            for stem, path in frames.items()
        }
        for sequence, frames in find_sequences(place).items()
    }
    return LabelFiles(CATEGORIES, sequences, is_video=True)


def _tracks(
    path: Path, images: Path | None, truth: LabelFiles | None, is_only: bool
) -> dict[str, LabelFile]:
    tracks = TracksFile(path)
    like = _like(path.stem, truth, is_only)

    @lru_cache(maxsize=1)
    def true_size() -> tuple[int, int] | None:
        return next(iter(like.values())).read().shape if like else None

    def read(frame: int) -> Annotation:
        size = None if tracks.size else true_size()
        return MapAnnotation(tracks.read(frame, size), CATEGORIES, truth is None)

    keys = like or [_key(str(number)) for number in _frames(tracks, images)]
    return {key: LabelFile(key, path, partial(read, int(key))) for key in keys}


def _like(sequence: str, truth: LabelFiles | None, is_only: bool) -> dict[str, LabelFile]:
    """The labelled frames of the sequence of that name, or of the only one."""
    if truth is None:
        return {}
    if is_only and len(truth.sequences) == 1:
        return dict(next(iter(truth.sequences.values())))
    return dict(truth.sequences.get(sequence, {}))


def _frames(tracks: TracksFile, images: Path | None) -> list[int]:
    folder = images / tracks.path.stem if images else None
    if folder and folder.is_dir():
        return sorted(int(path.stem) for path in folder.iterdir() if path.stem.isdecimal())
    return list(range(tracks.frames[-1] + 1)) if tracks.frames else []


def _key(stem: str) -> str:
    if not stem.isdecimal():
        raise DataError(f"{stem}.png: images of KITTI MOTS are named by number")
    return f"{int(stem):06d}"


FORMAT = Format(
    find,
    "instances (PNG files) or instances_txt (a text file per sequence, or one)",
    metrics=("clear", "hota", "idf1"),
    model_names={"person": "pedestrian", "*": "background"},
)
