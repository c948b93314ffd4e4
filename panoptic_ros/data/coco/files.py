# SPDX-License-Identifier: Apache-2.0
"""COCO panoptic data sets and results as label files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from numpy import uint32
from numpy.typing import NDArray

from panoptic_ros.core.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.annotation import Annotation, MapAnnotation, SegmentAnnotation
from panoptic_ros.data.class_map import Recode, Rules
from panoptic_ros.data.coco.reader import (
    CocoPrediction,
    ImageRecord,
    read_categories,
    read_coco_panoptic,
    read_coco_predictions,
    read_ids,
)
from panoptic_ros.data.label_files import LabelFile, LabelFiles, by_key


def coco_truth(json_path: Path, label_images: Path | None, images: Path | None) -> LabelFiles:
    """Open a data set; see ``read_coco_panoptic``.

    Args:
        json_path: Its JSON.
        label_images: Folder of its PNG files, None for the folder beside it.
        images: Folder of its images, None for the folder beside it.

    Raises:
        DataError: The JSON is wrong, or the PNG files are not beside it.
    """
    found = images or _beside(json_path, "images", json_path.stem.removeprefix("panoptic_"))
    folder = label_images or _images(json_path, "--gt-dir")
    data = read_coco_panoptic(json_path, folder, found or folder)
    if not data.records:
        raise DataError(f"{json_path}: has no annotated image")
    files = {
        str(record.id): LabelFile(
            record.image.stem,
            record.panoptic,
            partial(_read_truth, record, data.categories),
            record.image,
        )
        for record in data.records
    }
    return LabelFiles(data.categories, {"": files})


def coco_results(
    json_path: Path, label_images: Path | None, categories: tuple[Category, ...]
) -> LabelFiles:
    """Open results by image id; their category ids are those of the data set.

    Raises:
        DataError: The JSON is wrong, or the PNG files are not beside it.
    """
    folder = label_images or _images(json_path, "--pred-dir")
    files = {
        str(number): _result(prediction, categories)
        for number, prediction in read_coco_predictions(json_path, folder).items()
    }
    return LabelFiles(categories, {"": files})


def coco_results_by_name(
    json_path: Path, label_images: Path | None, truth: LabelFiles, rules: Rules
) -> LabelFiles:
    """Open results for a data set of another format: images and classes matched by name.

    Raises:
        DataError: The JSON is wrong or without classes, no class has a name in common, or the
            data set needs tracks, which COCO results do not have.
    """
    if truth.is_video:
        raise DataError(f"{json_path}: COCO results hold no tracks; a sequence needs label files")
    folder = label_images or _images(json_path, "--pred-dir")
    own = read_categories(json_path)
    recode = Recode([entry.name for entry in own], truth.categories, rules)

    def file(prediction: CocoPrediction) -> LabelFile:
        read = partial(_read_by_name, prediction, own, recode, truth.categories)
        return LabelFile(_name(prediction), prediction.panoptic, read)

    files = by_key(
        (_name(prediction), file(prediction))
        for prediction in read_coco_predictions(json_path, folder).values()
    )
    return LabelFiles(truth.categories, {"": files})


def _name(prediction: CocoPrediction) -> str:
    return prediction.panoptic.stem.removesuffix("_leftImg8bit")


def _result(prediction: CocoPrediction, categories: Sequence[Category]) -> LabelFile:
    read = partial(_read_result, prediction, categories)
    return LabelFile(prediction.panoptic.stem, prediction.panoptic, read)


def _read_result(prediction: CocoPrediction, categories: Sequence[Category]) -> Annotation:
    return SegmentAnnotation(read_ids(prediction.panoptic), prediction.segments, categories)


def _read_by_name(
    prediction: CocoPrediction,
    own: Sequence[Category],
    recode: Recode,
    categories: Sequence[Category],
) -> Annotation:
    found = recode(_read_result(prediction, own).map)
    return MapAnnotation(found, categories, is_truth=False)


def _read_truth(record: ImageRecord, categories: Sequence[Category]) -> Annotation:
    return SegmentAnnotation(read_truth(record), record.segments, categories)


def read_truth(record: ImageRecord) -> NDArray[uint32]:
    """Read the segment ids of an image.

    Raises:
        DataError: The file is missing, damaged or not of the size that the JSON says.
    """
    ids = read_ids(record.panoptic)
    if ids.shape != (record.height, record.width):
        raise DataError(
            f"{record.panoptic}: is {ids.shape[1]}x{ids.shape[0]}, the JSON says "
            f"{record.width}x{record.height}"
        )
    return ids


def _images(json_path: Path, option: str) -> Path:
    if not json_path.is_file():
        raise DataError(f"{json_path}: no such file; needs COCO's panoptic JSON")
    found = _beside(json_path, json_path.stem, "panoptic")
    if found is None:
        raise DataError(
            f"{json_path}: its PNG files are neither in {json_path.stem}/ nor in panoptic/ beside "
            f"it; name their folder with {option}"
        )
    return found


def _beside(json_path: Path, *names: str) -> Path | None:
    places = (json_path.parent / name for name in names)
    return next((place for place in places if place.is_dir()), None)
