# SPDX-License-Identifier: Apache-2.0
"""Open a data set, or predictions for it, in any of the known formats by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from panoptic_ros.core.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.labels import shipped_label_set
from panoptic_ros.data import ade20k, cityscapes, kitti_step, mapillary, mots_files
from panoptic_ros.data.annotation import Annotation, MapAnnotation
from panoptic_ros.data.class_map import ClassMap, Recode, Rules, renamed
from panoptic_ros.data.coco.files import coco_results, coco_results_by_name, coco_truth
from panoptic_ros.data.label_files import LabelFile, LabelFiles, by_key
from panoptic_ros.data.label_map import LabelMap


@dataclass(frozen=True)
class DataSetLocation:
    """Where labels lie.

    Attributes:
        labels: Folder of label files, or a COCO panoptic JSON.
        images: Of a JSON: folder of its PNG files; None for the folder beside it.
        images: Folder of the images; None where they are not wanted or the format says it.
        config: Of Vistas: its configuration; None to look above the labels.
    """

    labels: Path
    label_images: Path | None = None
    images: Path | None = None
    config: Path | None = None


def open_truth(name: str, place: DataSetLocation) -> LabelFiles:
    """Find the labelled images of a data set; no image is opened.

    Args:
        name: One of ``FORMATS``; the panoptic JSON files of all data sets are COCO's.
        place: Where they lie.

    Raises:
        DataError: There are none, or an index file is wrong.
    """
    return FORMATS[format_of(name, place.labels)](place, None)


def open_predictions(
    name: str, place: DataSetLocation, truth: LabelFiles, classes: ClassMap | None = None
) -> LabelFiles:
    """Find predictions: laid out like the data set, or COCO panoptic results.

    Args:
        name: Format of the data set, as ``format_of`` says it.
        place: Where they lie; of COCO results the JSON or the folder of ``predictions.json``.
        truth: The data set as ``open_truth`` found it.
        classes: Other names of classes: what is laid out like the data set has its classes and
            goes by the rules of the truth, COCO results with names of their own by the others.

    Returns:
        Predictions in the classes that the truth has under the rules.

    Raises:
        DataError: There are none, an index file is wrong, or no class is in common.
    """
    classes = classes or ClassMap()
    results = _results(place.labels)
    if results is None:
        return mapped(FORMATS[name](place, truth), classes.truth, is_truth=False)
    if name == "coco":
        found = coco_results(results, place.label_images, truth.categories)
        return mapped(found, classes.truth, is_truth=False)
    renamed_truth = mapped(truth, classes.truth, is_truth=True)
    return coco_results_by_name(results, place.label_images, renamed_truth, classes.prediction)


def format_of(name: str, labels: Path) -> str:
    """Format that labels really have: the panoptic JSON files of all data sets are COCO's."""
    return "coco" if labels.suffix == ".json" else name


def _results(labels: Path) -> Path | None:
    if labels.suffix == ".json":
        return labels
    written = labels / "predictions.json"
    return written if written.is_file() else None


def mapped(files: LabelFiles, rules: Rules, is_truth: bool) -> LabelFiles:
    """Read the images of a data set in other classes; without rules they stay as they are.

    Raises:
        DataError: A rule names a class that there is not, or no class is left.
    """
    if not rules:
        return files
    categories = renamed(files.categories, rules)
    recode = Recode([entry.name for entry in files.categories], categories, rules)

    def again(file: LabelFile) -> LabelFile:
        read = partial(_recoded, file, recode, categories, is_truth)
        return LabelFile(file.name, file.path, read, file.image)

    sequences = {
        sequence: {key: again(file) for key, file in found.items()}
        for sequence, found in files.sequences.items()
    }
    return LabelFiles(categories, sequences, files.is_video)


def _recoded(
    file: LabelFile, recode: Recode, categories: tuple[Category, ...], is_truth: bool
) -> Annotation:
    return MapAnnotation(recode(file.read().map), categories, is_truth)


def _map_file(
    name: str,
    path: Path,
    read: Callable[[Path], LabelMap],
    categories: tuple[Category, ...],
    is_truth: bool,
    image: Path | None = None,
) -> LabelFile:
    return LabelFile(name, path, partial(_read_map, read, path, categories, is_truth), image)


def _read_map(
    read: Callable[[Path], LabelMap],
    path: Path,
    categories: tuple[Category, ...],
    is_truth: bool,
) -> Annotation:
    return MapAnnotation(read(path), categories, is_truth)


def _coco(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    if truth is None and place.labels.suffix == ".json":
        return coco_truth(place.labels, place.label_images, place.images)
    needs = "a file like annotations.json" if truth is None else "predictions.json in it"
    raise DataError(f"{place.labels}: is no COCO panoptic JSON; needs {needs}")


def _cityscapes(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    files = {
        name: _map_file(
            name,
            path,
            cityscapes.read_instance_ids,
            cityscapes.CATEGORIES,
            truth is None,
            cityscapes.image_of(path, name),
        )
        for name, path in cityscapes.find_instance_ids(place.labels).items()
    }
    return LabelFiles(cityscapes.CATEGORIES, {"": files})


def _kitti_step(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    categories = kitti_step.CATEGORIES
    sequences = {
        sequence: {
            stem: _map_file(stem, path, kitti_step.read_labels, categories, truth is None)
            for stem, path in frames.items()
        }
        for sequence, frames in kitti_step.find_sequences(place.labels).items()
    }
    return LabelFiles(categories, sequences, is_video=True)


def _kitti_mots(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    return mots_files.find(place.labels, place.images, truth)


def _ade20k(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    known = shipped_label_set("ade20k")
    categories = tuple(
        Category(entry.index, entry.name, entry.is_thing, entry.color) for entry in known.labels
    )
    read = partial(ade20k.read_labels, categories=categories)
    found = [
        (path.name.removesuffix("_seg.png"), path)
        for path in sorted(place.labels.rglob("*_seg.png"))
    ]
    if not found:
        raise DataError(f"{place.labels}: holds no *_seg.png; ADE20K's 150 classes are a JSON")
    files = by_key(
        (
            name,
            _map_file(name, path, read, categories, truth is None, path.with_name(f"{name}.jpg")),
        )
        for name, path in found
    )
    return LabelFiles(categories, {"": files})


def _vistas(place: DataSetLocation, truth: LabelFiles | None) -> LabelFiles:
    folder = mapillary.instances_folder(place.labels)
    if truth is None:
        config = place.config or mapillary.find_config(folder)
        categories, void = mapillary.read_config(config), mapillary.void_classes(config)
    else:
        categories, void = truth.categories, truth.void
    read = partial(mapillary.read_instances, categories=categories, void=void)
    files = {
        path.stem: _map_file(
            path.stem,
            path,
            read,
            categories,
            truth is None,
            folder.parents[1] / "images" / f"{path.stem}.jpg",
        )
        for path in sorted(folder.glob("*.png"))
    }
    if not files:
        raise DataError(f"{folder}: holds no .png file")
    return LabelFiles(categories, {"": files}, void=void)


FORMATS: dict[str, Callable[[DataSetLocation, LabelFiles | None], LabelFiles]] = {
    "coco": _coco,
    "cityscapes": _cityscapes,
    "kitti-step": _kitti_step,
    "kitti-mots": _kitti_mots,
    "ade20k": _ade20k,
    "vistas": _vistas,
}
"""Finds label files; given the truth, they are predictions for it."""
