# SPDX-License-Identifier: Apache-2.0
"""COCO panoptic data sets and results as label files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from numpy import uint32
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.annotation import Annotation, SegmentAnnotation
from panoptic_ros.data.coco.ids import check_order, read_listed_ids
from panoptic_ros.data.coco.reader import CocoPanoptic, ImageRecord, read_coco_panoptic
from panoptic_ros.data.coco.results import beside, label_images_of, results_for, results_of
from panoptic_ros.data.coco.writer import CocoImageWriter
from panoptic_ros.data.format import DataSetLocation, Format
from panoptic_ros.data.image_search import ImageFolder
from panoptic_ros.data.label_files import LabelFile, LabelFiles

FIELDS = ("source", "labels")
"""What a JSON may say of an image besides: where it comes from, who made its truth."""

_CITY_IMAGES = "leftImg8bit"


def find(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    """Open a data set, or results by image id; the JSON is read, no image is opened.

    Args:
        place: Its labels are the JSON; of results also the folder of ``predictions.json``.
        truth: The COCO data set that these are results for; None for a data set.

    Raises:
        DataError: The JSON is missing or wrong, or the PNG files are not beside it.
    """
    results = results_of(place.labels)
    if truth is None and place.labels.suffix == ".json":
        return _truth(place)
    if truth is not None and results is not None:
        return results_for(results, place.label_images, truth)
    needs = "a file like annotations.json" if truth is None else "predictions.json in it"
    raise DataError(f"{place.labels}: is not a COCO panoptic JSON; needs {needs}")


def _truth(place: DataSetLocation) -> LabelFiles:
    label_images = place.label_images or label_images_of(place.labels, "--gt-dir")
    images = place.images or _images_of(place.labels, label_images)
    data = read_coco_panoptic(place.labels, label_images, images or place.labels.parent)
    if not data.records:
        raise DataError(f"{place.labels}: has no annotated image")
    return label_files(data, _finder(images, label_images, place.images is not None))


def label_files(
    data: CocoPanoptic, image_of: Callable[[ImageRecord], Path | None] | None = None
) -> LabelFiles:
    """List the labelled images of a data set.

    Args:
        data: The data set.
        image_of: Finds the file of an image; None for where the data set says it.

    Raises:
        DataError: Several files may be one image.
    """
    files = {
        str(record.id): LabelFile(
            record.image.stem,
            record.panoptic,
            partial(_read_truth, record, data.categories),
            image_of(record) if image_of else record.image,
            {name: value for name in FIELDS if (value := getattr(record, name))},
        )
        for record in data.records
    }
    return LabelFiles(data.categories, {"": files})


def _finder(
    images: Path | None, label_images: Path, is_sure: bool
) -> Callable[[ImageRecord], Path | None]:
    """Find images where the JSON says it, or what has their name or id.

    Args:
        images: Folder of the images; None where it is not known.
        label_images: Folder of the PNG files.
        is_sure: Whether somebody named that folder, so that doubts about it are errors.
    """
    if images is None:
        return lambda record: None
    folder = ImageFolder(images, label_images)

    def find_image(record: ImageRecord) -> Path | None:
        try:
            told = str(record.image.relative_to(images))
            return folder.find(told, str(record.id)) or record.image
        except DataError:
            if is_sure:
                raise
            return record.image

    return find_image


def _images_of(json_path: Path, label_images: Path) -> Path | None:
    """Folder of the images: beside the JSON, or that of Cityscapes beside its ``gtFine``."""
    near = beside(json_path, "images", json_path.stem.removeprefix("panoptic_"))
    if near is not None and near != label_images:
        return near
    cities = (parent / _CITY_IMAGES for parent in json_path.resolve().parents[:4])
    return next((place for place in cities if place.is_dir()), None)


def _read_truth(record: ImageRecord, categories: Sequence[Category]) -> Annotation:
    return SegmentAnnotation(read_truth(record), record.segments, categories)


def read_truth(record: ImageRecord) -> NDArray[uint32]:
    """Read the segment ids of an image.

    Raises:
        DataError: The file is missing, damaged, not of the size that the JSON says, or has its
            channels in the other order.
    """
    ids = read_listed_ids(record.panoptic, record.segments)
    if ids.shape != (record.height, record.width):
        raise DataError(
            f"{record.panoptic}: is {ids.shape[1]}x{ids.shape[0]}, the JSON says "
            f"{record.width}x{record.height}"
        )
    check_order(record.panoptic, ids, record.segments)
    return ids


FORMAT = Format(
    find,
    "JSON, its PNG files in the folder of its name, in panoptic/ or in --gt-dir",
    reads_json=True,
    finds_images=True,
    open_writer=CocoImageWriter,
    written="predictions.json and panoptic/<stem>.png",
    files=("predictions.json", "panoptic/*.png"),
    takes_categories=True,
)
