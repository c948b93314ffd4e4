# SPDX-License-Identifier: Apache-2.0
"""Read COCO panoptic folders: one JSON of segments, one PNG of segment ids per image.

Source: the format description at https://cocodataset.org/#format-data (panoptic) and
panopticapi's ``rgb2id``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.types import VOID, Panoptic

VOID_ID = 0
"""Segment id of unlabelled pixels."""

STUFF_FIRST_ID = 1 << 16
"""Encoded stuff segments have this id plus their class index; objects keep theirs, below it."""


@dataclass(frozen=True)
class Category:
    """A class of the data set; ``id`` is the number the JSON uses, not a train id."""

    id: int
    name: str
    is_thing: bool
    color: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class SegmentInfo:
    """One segment of an annotation: ``area`` in pixels as the JSON says it."""

    id: int
    category_id: int
    area: int
    is_crowd: bool


@dataclass(frozen=True)
class ImageRecord:
    """One image with its annotation; paths are absolute, ``source`` may be empty."""

    id: int
    image: Path
    panoptic: Path
    width: int
    height: int
    segments: tuple[SegmentInfo, ...]
    source: str = ""


@dataclass(frozen=True)
class CocoPanoptic:
    """A COCO panoptic data set: categories sorted by id, records sorted by image id."""

    categories: tuple[Category, ...]
    records: tuple[ImageRecord, ...]


def read_coco_panoptic(json_path: Path, panoptic_dir: Path, image_dir: Path) -> CocoPanoptic:
    """Read the JSON of a COCO panoptic data set; no picture is opened.

    Args:
        json_path: The annotation file (``images``, ``annotations``, ``categories``).
        panoptic_dir: Folder of the PNG files that ``annotations[].file_name`` names.
        image_dir: Folder of the images that ``images[].file_name`` names.

    Returns:
        The data set; images without an annotation are left out.

    Raises:
        DataError: The file is missing, is not JSON, or lacks a field; the message names both.
    """
    try:
        document = json.loads(json_path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{json_path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataError(f"{json_path}: is not JSON ({error})") from error
    try:
        return _parse(document, panoptic_dir, image_dir)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{json_path}: not a COCO panoptic file, {error!r} is missing") from error


def _parse(document: dict[str, Any], panoptic_dir: Path, image_dir: Path) -> CocoPanoptic:
    categories = tuple(
        Category(
            id=int(entry["id"]),
            name=str(entry["name"]),
            is_thing=bool(entry["isthing"]),
            color=_color(entry.get("color")),
        )
        for entry in sorted(document["categories"], key=lambda entry: int(entry["id"]))
    )
    images = {int(entry["id"]): entry for entry in document["images"]}
    records = []
    for annotation in sorted(document["annotations"], key=lambda entry: int(entry["image_id"])):
        image = images[int(annotation["image_id"])]
        records.append(
            ImageRecord(
                id=int(image["id"]),
                image=image_dir / str(image["file_name"]),
                panoptic=panoptic_dir / str(annotation["file_name"]),
                width=int(image["width"]),
                height=int(image["height"]),
                segments=tuple(_segment(entry) for entry in annotation["segments_info"]),
                source=str(image.get("source", "")),
            )
        )
    return CocoPanoptic(categories, tuple(records))


def _color(entry: object) -> tuple[int, int, int]:
    if not isinstance(entry, (list, tuple)) or len(entry) != 3:
        return (0, 0, 0)
    red, green, blue = (int(value) for value in entry)
    return (red, green, blue)


def _segment(entry: dict[str, Any]) -> SegmentInfo:
    return SegmentInfo(
        id=int(entry["id"]),
        category_id=int(entry["category_id"]),
        area=int(entry["area"]),
        is_crowd=bool(entry.get("iscrowd", 0)),
    )


def read_ids(png_path: Path) -> NDArray[np.uint32]:
    """Read a COCO panoptic PNG.

    Args:
        png_path: 8-bit RGB PNG with id = R + 256 G + 65536 B.

    Returns:
        Segment ids, shape (H, W); 0 is unlabelled.

    Raises:
        DataError: The file is missing or is not an 8-bit RGB picture.
    """
    picture = cv2.imread(str(png_path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise DataError(f"{png_path}: missing or not a picture")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise DataError(f"{png_path}: is {picture.dtype} {picture.shape}, needs 8-bit RGB ids")
    # A pixel of RGBA read as one little endian number is the id with alpha above it.
    rgba = cv2.cvtColor(picture, cv2.COLOR_BGR2RGBA)
    return np.asarray(rgba.view("<u4")[..., 0] & 0xFFFFFF, np.uint32)


def write_ids(png_path: Path, ids: NDArray[np.uint32]) -> None:
    """Write segment ids as a COCO panoptic PNG.

    Args:
        png_path: The file to write; its folder exists.
        ids: Segment ids, shape (H, W), 0..2**24 - 1.

    Raises:
        DataError: The file cannot be written.
    """
    channels = [(ids >> shift).astype(np.uint8) for shift in (16, 8, 0)]
    if not cv2.imwrite(str(png_path), np.dstack(channels), [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise DataError(f"{png_path}: cannot be written")


def encode(
    panoptic: Panoptic,
    size: tuple[int, int],
    category_ids: Mapping[int, int],
    things: NDArray[np.bool_],
) -> tuple[NDArray[np.uint32], tuple[SegmentInfo, ...]]:
    """Turn a panoptic map into COCO segments at an image's own size.

    Args:
        panoptic: The map of one image.
        size: (height, width) of the image.
        category_ids: Category id of a class index; a class that is absent becomes void.
        things: Which class indices are things, (256,).

    Returns:
        Segment ids, (height, width): one segment per object and one per stuff class. Thing pixels
        without an object are void. And the segments sorted by id; areas are counted at ``size``.
    """
    known = np.zeros(256, np.bool_)
    known[list(category_ids)] = True
    known[VOID] = False
    stuff_ids = np.where(known & ~things, np.arange(256) + STUFF_FIRST_ID, VOID_ID)
    claimed = (known & things)[panoptic.labels]
    segments = np.where(claimed, panoptic.ids, stuff_ids[panoptic.labels]).astype(np.uint32)
    ids = enlarge(segments, size)
    areas = np.bincount(ids.ravel(), minlength=STUFF_FIRST_ID)
    areas[VOID_ID] = 0
    label_of = {segment.id: segment.label for segment in panoptic.segments}
    infos = tuple(
        SegmentInfo(
            id=number,
            category_id=category_ids[label_of.get(number, number - STUFF_FIRST_ID)],
            area=int(areas[number]),
            is_crowd=False,
        )
        for number in np.flatnonzero(areas).tolist()
    )
    return ids, infos


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a colour picture.

    Returns:
        RGB image, shape (H, W, 3).

    Raises:
        DataError: The file is missing or is not a picture.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise DataError(f"{path}: missing or not a picture")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
