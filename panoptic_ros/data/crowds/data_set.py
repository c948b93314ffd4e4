# SPDX-License-Identifier: Apache-2.0
"""A COCO panoptic data set some of whose crowds become objects, in another folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.errors import ConfigError, DataError, FrameError, counted
from panoptic_ros.core.types import Panoptic
from panoptic_ros.data.coco.files import find
from panoptic_ros.data.coco.results import label_images_of
from panoptic_ros.data.crowds.annotation import CrowdCounts, split_annotation
from panoptic_ros.data.crowds.objects import CrowdRule, SeenObjects
from panoptic_ros.data.crowds.output_folder import IMAGES, LABEL_IMAGES, OutputFolder
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.images import exif_hint, read_image
from panoptic_ros.data.json_document import read_document
from panoptic_ros.data.label_files import LabelFile

See = Callable[[NDArray[np.uint8]], Panoptic]
"""What a network sees in an RGB image, (H, W, 3)."""

_TRAINED, _VALIDATED = "train.json", "val.json"


@dataclass(frozen=True)
class Selection:
    """Which crowds are divided.

    Attributes:
        classes: Names; empty for all things.
        sources: Values of the field ``source`` of images; empty for all images.
        most: So many images, the first ones; None for all.
    """

    classes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    most: int | None = None


@dataclass(frozen=True, eq=False)
class CrowdImage:
    """An image with crowds that are to be divided."""

    file: LabelFile
    annotation: dict[str, Any]


@dataclass(eq=False)
class Progress:
    """What was done so far.

    Attributes:
        images: Whose crowds were looked at.
        changed: In which there was an object.
        counts: By class.
        unreadable: Why images were left as they are.
    """

    images: int = 0
    changed: int = 0
    counts: dict[str, CrowdCounts] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


class CrowdDataSet:
    """Reads a data set and writes it again with its crowds divided; used by one thread.

    Args:
        place: Its JSON, the folder of its PNG files and that of its images; folders that are
            None lie beside the JSON.
        selection: Which crowds are meant.

    Attributes:
        images: Those that have such crowds.
        categories: The classes of those crowds.

    Raises:
        ConfigError: The selection names a class or a source that there is not.
        DataError: A file is missing or wrong, or there is no such crowd.
    """

    def __init__(self, place: DataSetLocation, selection: Selection) -> None:
        self._json = place.labels
        named = place.label_images or label_images_of(place.labels, "--gt-dir")
        self._label_images = _folder(named, "--gt-dir")
        self._images = _folder(place.images or place.labels.parent / IMAGES, "--images")
        found = find(DataSetLocation(self._json, self._label_images, self._images), None)
        self._document = read_document(self._json)
        wanted = _wanted(found.categories, selection.classes)
        files = {file.path: file for file in found.sequences[""].values()}
        _check_sources(files.values(), selection.sources)
        self.images, used = self._with_crowds(files, set(wanted), selection)
        self.categories = tuple(wanted[number] for number in wanted if number in used)
        if not self.images:
            raise DataError(f"{self._json}: has no crowd {_described(selection)}; nothing to do")
        self.progress = Progress()

    def _with_crowds(
        self, files: Mapping[Path, LabelFile], wanted: Collection[int], selection: Selection
    ) -> tuple[list[CrowdImage], set[int]]:
        """List the images with wanted crowds, and the category ids of those."""
        images: list[CrowdImage] = []
        used: set[int] = set()
        for annotation in self._document["annotations"]:
            file = files[self._label_images / annotation["file_name"]]
            crowds = {
                int(entry["category_id"])
                for entry in annotation["segments_info"]
                if entry.get("iscrowd") and int(entry["category_id"]) in wanted
            }
            is_source = not selection.sources or file.fields.get("source") in selection.sources
            if crowds and is_source and len(images) != selection.most:
                images.append(CrowdImage(file, annotation))
                used |= crowds
        return images, used

    def open_output(self, folder: Path) -> OutputFolder:
        """Begin the new data set: everything is linked, but for the JSON.

        Args:
            folder: Exists; empty, or written by an earlier run.

        Raises:
            ConfigError: The folder holds something else, or is the data set itself.
            DataError: It cannot be written.
        """
        inputs = (self._json.parent, self._label_images, self._images)
        if folder.resolve() in {path.resolve() for path in inputs}:
            raise ConfigError(f"--out {folder} is the data set itself; name a new folder")
        output = OutputFolder(folder)
        output.remove(self._json.name)
        output.link(IMAGES, self._images)
        for png in sorted(self._label_images.rglob("*.png")):
            output.link(f"{LABEL_IMAGES}/{png.relative_to(self._label_images)}", png)
        validation = self._json.with_name(_VALIDATED)
        if self._json.name == _TRAINED and validation.is_file():
            output.link(_VALIDATED, validation)
        return output

    def split(
        self, image: CrowdImage, rules: Mapping[int, CrowdRule], see: See, output: OutputFolder
    ) -> None:
        """Divide the crowds of one image and write its label image.

        An image that cannot be read is noted in ``progress`` and stays as it is.

        Args:
            image: One of ``images``.
            rules: By category id.
            see: Runs the network.
            output: Where to.

        Raises:
            DataError: The label image cannot be written.
            EngineRunError: The engine failed.
        """
        try:
            ids, listed = image.file.read().segments
            seen = SeenObjects.of(see(_read(image.file, ids.shape)), _size(ids))
        except (DataError, FrameError) as error:
            self.progress.unreadable.append(str(error))
            return
        annotation = image.annotation
        done = split_annotation(ids, annotation["segments_info"], listed, rules, seen)
        self.progress.images += 1
        for name, count in done.counts.items():
            self.progress.counts[name] = self.progress.counts.get(name, CrowdCounts()) + count
        if done.is_changed:
            output.write_ids(annotation["file_name"], done.ids)
            annotation["segments_info"] = done.entries
            self.progress.changed += 1

    def close(self, output: OutputFolder, made_by: Mapping[str, Any]) -> tuple[Path, Path]:
        """Write the JSON and the report.

        Args:
            output: Where to.
            made_by: What the report says besides.

        Returns:
            The two files.

        Raises:
            DataError: No image could be read, or a file cannot be written.
        """
        done = self.progress
        if not done.images:
            raise DataError(
                f"{self._json}: not one of {counted(len(self.images), 'image')} with crowds can "
                f"be read; the first: {done.unreadable[0]}"
            )
        written = output.write_json(self._json.name, self._document)
        classes = {name: asdict(count) for name, count in done.counts.items()}
        report = {
            **made_by,
            "complete": True,
            "images": done.images,
            "changed": done.changed,
            "classes": classes,
            "unreadable": done.unreadable,
        }
        return written, output.report(report)


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise DataError(f"{path}: there is no such folder; name it with {option}")
    return path


def _wanted(categories: Collection[Category], names: Collection[str]) -> dict[int, Category]:
    """Things by id, those that are named or all."""
    things = {entry.name: entry for entry in categories if entry.is_thing}
    for name in names:
        if name not in things:
            raise ConfigError(
                f"--classes names {name!r}, which is not a thing class of the data set; its "
                f"things are {', '.join(things)}"
            )
    return {entry.id: entry for entry in things.values() if not names or entry.name in names}


def _check_sources(files: Iterable[LabelFile], sources: Collection[str]) -> None:
    known = {file.fields.get("source", "") for file in files} - {""}
    for source in sources:
        if source not in known:
            there = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"--source is {source!r}; the sources of the images are: {there}")


def _described(selection: Selection) -> str:
    classes = f"of {', '.join(selection.classes)}" if selection.classes else "of a thing"
    sources = f" in images of {', '.join(selection.sources)}" if selection.sources else ""
    return classes + sources


def _read(file: LabelFile, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read the image of an annotation."""
    if file.image is None:
        raise DataError(f"{file.path}: its image is not found; name the folder with --images")
    image = read_image(file.image)
    if image.shape[:2] != shape:
        raise DataError(
            f"{file.image}: is {image.shape[1]}x{image.shape[0]}, its labels are "
            f"{shape[1]}x{shape[0]}{exif_hint(file.image)}"
        )
    return image


def _size(ids: NDArray[np.uint32]) -> tuple[int, int]:
    height, width = ids.shape
    return height, width
