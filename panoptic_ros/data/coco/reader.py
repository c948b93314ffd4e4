# SPDX-License-Identifier: Apache-2.0
"""Read COCO panoptic folders: one JSON of segments, one PNG of segment ids per image.

Source: the format description at https://cocodataset.org/#format-data (panoptic).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from panoptic_ros.core.classes.categories import Category, SegmentInfo
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.coco.segment_list import listed_segments
from panoptic_ros.data.json_document import (
    MalformedError,
    entries,
    read_document,
    text,
    whole_number,
)

ImageId = Union[int, str]
"""Image ids are numbers; the panoptic files of Cityscapes have names instead."""


@dataclass(frozen=True)
class ImageRecord:
    """One image with its annotation; the paths are those of the folders that were given.

    Attributes:
        id: Number or name.
        image: Its file.
        panoptic: PNG of its segment ids.
        width: In pixels, as the JSON says it.
        height: The same.
        segments: What is listed.
        source: Field ``source`` of the image, which may say where it comes from.
        labels: Field ``labels``, which may say who made its truth.
    """

    id: ImageId
    image: Path
    panoptic: Path
    width: int
    height: int
    segments: tuple[SegmentInfo, ...]
    source: str = ""
    labels: str = ""


@dataclass(frozen=True)
class CocoPrediction:
    """What somebody predicted for one image.

    Attributes:
        panoptic: PNG of the segment ids.
        segments: What is listed.
        file_name: Of the image, where the results list images; else empty.
    """

    panoptic: Path
    segments: tuple[SegmentInfo, ...]
    file_name: str = ""


@dataclass(frozen=True)
class CocoResults:
    """What somebody predicted for a data set.

    Attributes:
        predictions: By image id.
        class_names: By category id, where the results say it; they need not.
    """

    predictions: dict[ImageId, CocoPrediction]
    class_names: dict[int, str]


@dataclass(frozen=True)
class CocoPanoptic:
    """A COCO panoptic data set: categories sorted by id, records sorted by image id."""

    categories: tuple[Category, ...]
    records: tuple[ImageRecord, ...]


def read_coco_panoptic(json_path: Path, panoptic_dir: Path, image_dir: Path) -> CocoPanoptic:
    """Read the JSON of a COCO panoptic data set; no image is opened.

    Args:
        json_path: The annotation file (``images``, ``annotations``, ``categories``).
        panoptic_dir: Folder of the PNG files that ``annotations[].file_name`` names.
        image_dir: Folder of the images that ``images[].file_name`` names.

    Returns:
        The data set; images without an annotation are left out.

    Raises:
        DataError: The file is missing, is not JSON, lacks a field, names a category or an image
            that it does not list, or lists an id twice; the message says where.
    """
    document = read_document(json_path)
    try:
        return _data_set(document, panoptic_dir, image_dir)
    except MalformedError as error:
        raise DataError(f"{json_path}: {error}") from error


def read_coco_predictions(json_path: Path, panoptic_dir: Path) -> dict[ImageId, CocoPrediction]:
    """Read the predictions of COCO panoptic results; see ``read_coco_results``."""
    return read_coco_results(json_path, panoptic_dir).predictions


def read_coco_results(json_path: Path, panoptic_dir: Path) -> CocoResults:
    """Read the JSON of COCO panoptic results; no image is opened.

    Args:
        json_path: The result file; only its ``annotations`` have to be there.
        panoptic_dir: Folder of the PNG files that ``annotations[].file_name`` names.

    Returns:
        The results. A missing ``area`` is 0: metrics count it in the map.

    Raises:
        DataError: The file is missing, is not JSON, lacks a field or lists an id twice.
    """
    document = read_document(json_path)
    try:
        return CocoResults(_predictions(document, panoptic_dir), _class_names(document))
    except MalformedError as error:
        raise DataError(f"{json_path}: {error}") from error


def _predictions(document: Any, panoptic_dir: Path) -> dict[ImageId, CocoPrediction]:
    names = _file_names(document)
    predictions: dict[ImageId, CocoPrediction] = {}
    for where, entry in entries(document, "annotations"):
        image_id = _image_id(entry, "image_id", where)
        if image_id in predictions:
            raise MalformedError(f"{where}: image {image_id} has two annotations")
        segments = listed_segments(entry, where, area=0)
        png = panoptic_dir / text(entry, "file_name", where)
        predictions[image_id] = CocoPrediction(png, segments, names.get(image_id, ""))
    return predictions


def _file_names(document: Any) -> dict[ImageId, str]:
    """Names of the images by id, as far as results tell them."""
    listed = document.get("images") if isinstance(document, Mapping) else None
    found: dict[ImageId, str] = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("file_name"), str):
            key = entry.get("id")
            if isinstance(key, (int, str)):
                found[key] = entry["file_name"]
    return found


def read_categories(json_path: Path) -> tuple[Category, ...]:
    """Read the classes of a COCO panoptic JSON, sorted by id.

    Raises:
        DataError: The file is missing, is not JSON or has no classes.
    """
    document = read_document(json_path)
    try:
        categories = _by_id(_category(*entry) for entry in entries(document, "categories"))
    except MalformedError as error:
        raise DataError(f"{json_path}: {error}") from error
    return tuple(categories[number] for number in sorted(categories))


def _class_names(document: Any) -> dict[int, str]:
    """What results call the class ids, as far as they say it."""
    listed = document.get("categories") if isinstance(document, Mapping) else None
    return {
        entry["id"]: entry["name"]
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, Mapping)
        and isinstance(entry.get("id"), int)
        and isinstance(entry.get("name"), str)
    }


def _data_set(document: Any, panoptic_dir: Path, image_dir: Path) -> CocoPanoptic:
    categories = _by_id(_category(*entry) for entry in entries(document, "categories"))
    images: dict[ImageId, Mapping[str, Any]] = {}
    for where, entry in entries(document, "images"):
        _add_image(images, where, entry)
    files = Counter(entry["file_name"] for entry in images.values())
    if twice := next((name for name, count in files.items() if count > 1), None):
        raise MalformedError(f"images: file_name {twice!r} occurs {files[twice]} times")
    records: dict[ImageId, ImageRecord] = {}
    for where, entry in entries(document, "annotations"):
        image_id = _image_id(entry, "image_id", where)
        if image_id not in images:
            raise MalformedError(f"{where}: image {image_id} is not among the images")
        if image_id in records:
            raise MalformedError(f"{where}: image {image_id} has two annotations")
        image = images[image_id]
        segments = listed_segments(entry, where)
        unknown = {segment.category_id for segment in segments} - set(categories)
        if unknown:
            raise MalformedError(f"{where}: category {min(unknown)} is not among the categories")
        records[image_id] = ImageRecord(
            id=image_id,
            image=image_dir / str(image["file_name"]),
            panoptic=panoptic_dir / text(entry, "file_name", where),
            width=image["width"],
            height=image["height"],
            segments=segments,
            source=str(image.get("source", "")),
            labels=str(image.get("labels", "")),
        )
    return CocoPanoptic(
        tuple(categories[number] for number in sorted(categories)),
        tuple(sorted(records.values(), key=_order)),
    )


def _image_id(entry: Mapping[str, Any], name: str, where: str) -> ImageId:
    if isinstance(entry.get(name), str):
        return text(entry, name, where)
    return whole_number(entry, name, where)


def _order(record: ImageRecord) -> tuple[bool, int, str]:
    """Numbers first, by value, then names."""
    number = record.id
    return (True, 0, number) if isinstance(number, str) else (False, number, "")


def _by_id(categories: Iterable[Category]) -> dict[int, Category]:
    known: dict[int, Category] = {}
    for category in categories:
        if category.id in known:
            raise MalformedError(f"categories: id {category.id} occurs twice")
        known[category.id] = category
    names = Counter(category.name for category in known.values())
    if twice := [name for name, count in names.items() if count > 1]:
        raise MalformedError(f"categories: names must differ; found twice: {', '.join(twice)}")
    if not known:
        raise MalformedError("categories: is empty")
    return known


def _category(where: str, entry: Mapping[str, Any]) -> Category:
    color = entry.get("color", (0, 0, 0))
    try:
        red, green, blue = (int(value) for value in color)
    except (TypeError, ValueError, OverflowError):
        raise MalformedError(f"{where}: color is {color!r}, needs [red, green, blue]") from None
    return Category(
        id=whole_number(entry, "id", where),
        name=text(entry, "name", where),
        is_thing=bool(whole_number(entry, "isthing", where)),
        color=(red, green, blue),
    )


def _add_image(
    images: dict[ImageId, Mapping[str, Any]], where: str, entry: Mapping[str, Any]
) -> None:
    number = _image_id(entry, "id", where)
    if number in images:
        raise MalformedError(f"{where}: id {number} occurs twice")
    for name in ("width", "height"):
        if whole_number(entry, name, where) < 1:
            raise MalformedError(f"{where}: {name} is {entry[name]}, needs at least 1")
    text(entry, "file_name", where)
    images[number] = entry
