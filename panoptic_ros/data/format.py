# SPDX-License-Identifier: Apache-2.0
"""What a format of label files offers: how its files are found, scored and written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.label_table import NameRules
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.result import Result
from panoptic_ros.data.annotation import Annotation, MapAnnotation
from panoptic_ros.data.label_files import LabelFile, LabelFiles
from panoptic_ros.data.label_map import LabelMap


@dataclass(frozen=True)
class DataSetLocation:
    """Where labels lie.

    Attributes:
        labels: Folder of label files, or a COCO panoptic JSON.
        label_images: Of a JSON: folder of its PNG files; None for the folder beside it.
        images: Folder of the images; None where they are not wanted or the format says it.
        config: Of Vistas: its configuration; None to look above the labels.
    """

    labels: Path
    label_images: Path | None = None
    images: Path | None = None
    config: Path | None = None


class ImageWriter(ABC):
    """Writes the label files of one image after the other."""

    @abstractmethod
    def write(self, result: Result, name: str) -> None:
        """Write one result.

        Args:
            result: What the pipeline says of the image.
            name: File name of the image.

        Raises:
            DataError: A file cannot be written.
        """

    def remarks(self) -> tuple[str, ...]:
        """Say what was left out, one sentence each; complete when all images are written."""
        return ()

    def close(self) -> None:  # noqa: B027 - only some formats have something to finish
        """Finish what is written at the end."""


Find = Callable[[DataSetLocation, "LabelFiles | None"], LabelFiles]
"""Finds the labelled images of a place; given the truth, they are predictions for it."""

OpenWriter = Callable[[Path, LabelSet, "Path | None"], ImageWriter]
"""Opens a writer into a folder, for a model's classes, numbered as a ground-truth file says."""


@dataclass(frozen=True, eq=False)
class Format:
    """One format of label files.

    Attributes:
        find: Finds its files; opens no image.
        layout: What a data set of it looks like, in a few words for the command line.
        metrics: What it is scored by where nobody chooses.
        model_names: What the classes of our models are called in it.
        reads_json: Whether its own labels or results are a JSON; otherwise a JSON in their place
            is that of the panoptic version, which is COCO's.
        finds_images: Whether ``find`` itself looks below ``DataSetLocation.images``.
        open_writer: Writes predictions in it; None where nobody needs that.
        written: What the writer writes, in a few words for the command line.
        files: Names of these files in the folder, or patterns like ``*.png``; that which tells of
            all images comes first.
        takes_categories: Whether the writer numbers by a ground-truth file.
    """

    find: Find
    layout: str
    metrics: tuple[str, ...] = ("pq", "miou")
    model_names: NameRules = field(default_factory=dict)
    reads_json: bool = False
    finds_images: bool = False
    open_writer: OpenWriter | None = None
    written: str = ""
    files: tuple[str, ...] = ()
    takes_categories: bool = False


def map_file(
    path: Path,
    read: Callable[[Path], LabelMap],
    categories: tuple[Category, ...],
    is_truth: bool,
    *,
    name: str = "",
    image: Path | None = None,
) -> LabelFile:
    """Make a label file of one that holds a class and an object of each pixel.

    Args:
        path: The file.
        read: Reads it.
        categories: The classes; a label is a position among them.
        is_truth: Whether things without an object are crowd; in a prediction they are void.
        name: Name of the image, that of the file by default.
        image: The image where it is known.
    """
    annotation = partial(_read, read, path, categories, is_truth)
    return LabelFile(name or path.stem, path, annotation, image)


def _read(
    read: Callable[[Path], LabelMap],
    path: Path,
    categories: tuple[Category, ...],
    is_truth: bool,
) -> Annotation:
    return MapAnnotation(read(path), categories, is_truth)
