# SPDX-License-Identifier: Apache-2.0
"""Tracked objects of images, whatever the annotation tool: written at the end, read as a whole."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files import output
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import NO_ID
from panoptic_ros.data.annotation import Annotation, MapAnnotation
from panoptic_ros.data.format import DataSetLocation, Format, ImageWriter
from panoptic_ros.data.json_document import MalformedError
from panoptic_ros.data.label_files import LabelFile, LabelFiles, by_key, sequence_name
from panoptic_ros.data.label_map import LabelMap

BACKGROUND = Category(0, "background", False)
"""What belongs to no object; annotation tools have no word for it."""

_MOST_ID = (1 << 16) - 1


@dataclass(frozen=True, eq=False)
class ToolObject:
    """One object of an image.

    Attributes:
        name: Name of its class.
        track_id: The same as long as it is followed; 0 where the tool does not say.
        score: 0..1; None for what a person drew.
        draw: Gives its mask, (H, W) bool.
        probabilities: Of the classes that it may be, by name; empty where nothing says them.
    """

    name: str
    track_id: int
    score: float | None
    draw: Callable[[], NDArray[np.bool_]]
    probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ToolImage:
    """One image with its objects, back to front.

    Attributes:
        name: Name of its file.
        size: (height, width).
        objects: The objects.
    """

    name: str
    size: tuple[int, int]
    objects: tuple[ToolObject, ...]


Parse = Callable[[Path], "tuple[list[str], list[ToolImage]]"]
"""Reads classes and images of a tool's file."""


class ToolWriter(ImageWriter):
    """Collects the images of one sequence and writes one file at the end.

    Args:
        folder: Where to; it exists.
        labels: The model's classes; objects are of its thing classes.
        categories: Of no use here.

    Attributes:
        file_name: Name of the file in the folder.
        names: The classes of objects.
    """

    file_name: ClassVar[str]

    def __init__(self, folder: Path, labels: LabelSet, categories: Path | None = None) -> None:
        self._path = folder / self.file_name
        self.names = [label.name for label in labels.labels if label.is_thing]
        self._items: list[Any] = []

    def write(self, result: Result, name: str) -> None:
        """Take an image in; its masks are packed at once."""
        objects = tuple(
            ToolObject(
                one.name, one.id, one.score, partial(np.asarray, one.mask), one.probabilities
            )
            for one in result.instances()
            if one.name in self.names
        )
        image = ToolImage(name, result.camera_size, objects)
        self._items.append(self.item(image, len(self._items) + 1))

    def close(self) -> None:
        """Write the file.

        Raises:
            DataError: It cannot be written.
        """
        try:
            output.write_text(self._path, self.document(self._items))
        except OSError as error:
            raise DataError(output.unwritten(self._path, error)) from error

    @abstractmethod
    def item(self, image: ToolImage, number: int) -> Any:
        """Pack one image; numbers count from 1."""

    @abstractmethod
    def document(self, items: Sequence[Any]) -> str:
        """Write the packed images as the text of the file."""


def tool_format(
    writer: type[ToolWriter], parse: Parse, layout: str, written: str, reads_json: bool = True
) -> Format:
    """Make the format of one tool.

    Args:
        writer: Writes its file.
        parse: Reads classes and images of such a file; raises ``MalformedError``, ``KeyError``,
            ``TypeError``, ``ValueError`` or ``IndexError`` where it is none.
        layout: As of ``Format``.
        written: What is written, as of ``Format``.
        reads_json: Whether its file is a JSON.
    """
    return Format(
        partial(_find_objects, writer.file_name, parse),
        layout,
        metrics=("pq", "clear", "hota", "idf1"),
        model_names={"*": BACKGROUND.name},
        reads_json=reads_json,
        open_writer=writer,
        written=f"{written}, the input is one sequence",
        files=(writer.file_name,),
    )


def _find_objects(
    name: str, parse: Parse, place: DataSetLocation, truth: LabelFiles | None
) -> LabelFiles:
    """List the images of a tool's file, or of a folder with it, as one sequence.

    Raises:
        DataError: The file is missing or is not what it should be.
    """
    path = place.labels / name if place.labels.is_dir() else place.labels
    try:
        names, images = parse(path)
    except (MalformedError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{path}: is not a file of this format ({reason_of(error)})") from error
    if not images:
        raise DataError(f"{path}: has no image")
    categories = (
        BACKGROUND,
        *(Category(number, one, True) for number, one in enumerate(names, start=1)),
    )
    files = [
        (Path(image.name).stem, _file(path, image, categories, truth is None)) for image in images
    ]
    return LabelFiles(categories, {_sequence(place.labels, name): by_key(files)}, is_video=True)


def _sequence(labels: Path, name: str) -> str:
    """Name the one sequence by its folder, or by its file where that has a name of its own."""
    usual = Path(name).parts
    if labels.is_dir():
        return sequence_name(labels)
    path = labels.absolute()
    return path.parents[len(usual) - 1].name if path.parts[-len(usual) :] == usual else path.stem


def _file(
    path: Path, image: ToolImage, categories: tuple[Category, ...], is_truth: bool
) -> LabelFile:
    read = partial(_read, path, image, categories, is_truth)
    return LabelFile(Path(image.name).stem, path, read)


def _read(
    path: Path, image: ToolImage, categories: tuple[Category, ...], is_truth: bool
) -> Annotation:
    places = {category.name: place for place, category in enumerate(categories)}
    labels, ids = np.zeros(image.size, np.uint8), np.full(image.size, NO_ID, np.uint16)
    used = {one.track_id for one in image.objects}
    free = iter(number for number in range(_MOST_ID, 0, -1) if number not in used)
    for one in image.objects:
        if one.name not in places:
            raise DataError(f"{path}, {image.name}: class {one.name!r} is not in its list")
        if not 0 <= one.track_id <= _MOST_ID:
            raise DataError(
                f"{path}, {image.name}: track {one.track_id}, needs 1 to {_MOST_ID} or none"
            )
        mask = one.draw()
        if mask.shape != image.size:
            raise DataError(
                f"{path}, {image.name}: a mask of {mask.shape}, the image is {image.size}"
            )
        labels[mask], ids[mask] = places[one.name], one.track_id or next(free)
    return MapAnnotation(LabelMap(labels, ids), categories, is_truth)
