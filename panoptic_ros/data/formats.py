# SPDX-License-Identifier: Apache-2.0
"""All formats, and how a data set or predictions for it are opened in any of them.

A format is one file of this folder with a ``Format``, and one line in ``FORMATS``: what is scored,
found, written or asked on the command line follows from that.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.label_table import NameRules
from panoptic_ros.core.errors import DataError
from panoptic_ros.data import ade20k, cityscapes, kitti_step, mapillary, mots_files
from panoptic_ros.data.annotation import Annotation, MapAnnotation
from panoptic_ros.data.class_map import ClassMapFile, LabelMapTable, renamed
from panoptic_ros.data.coco import files as coco
from panoptic_ros.data.coco.results import results_by_name, results_of
from panoptic_ros.data.format import DataSetLocation, Format
from panoptic_ros.data.label_files import LabelFile, LabelFiles
from panoptic_ros.data.tools import coco_instances, cvat, datumaro, label_studio

COCO = "coco"

FORMATS: dict[str, Format] = {
    COCO: coco.FORMAT,
    "cityscapes": cityscapes.FORMAT,
    "kitti-step": kitti_step.FORMAT,
    "kitti-mots": mots_files.FORMAT,
    "ade20k": ade20k.FORMAT,
    "vistas": mapillary.FORMAT,
    "coco-instances": coco_instances.FORMAT,
    "cvat": cvat.FORMAT,
    "datumaro": datumaro.FORMAT,
    "label-studio": label_studio.FORMAT,
}


def format_of(name: str, labels: Path) -> str:
    """Format that labels really have: the panoptic JSON files of all data sets are COCO's.

    Args:
        name: One of ``FORMATS``.
        labels: Where they lie.
    """
    return COCO if labels.suffix == ".json" and not FORMATS[name].reads_json else name


def open_truth(name: str, place: DataSetLocation) -> LabelFiles:
    """Find the labelled images of a data set; no image is opened.

    Args:
        name: One of ``FORMATS``.
        place: Where they lie.

    Raises:
        DataError: There are none, or an index file is wrong.
    """
    _check_exists(place.labels)
    return FORMATS[format_of(name, place.labels)].find(place, None)


def open_predictions(
    name: str, place: DataSetLocation, truth: LabelFiles, classes: ClassMapFile | None = None
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
    classes = classes or ClassMapFile()
    _check_exists(place.labels)
    results = results_of(place.labels)
    if results is None or FORMATS[name].reads_json:
        return mapped(FORMATS[name].find(place, truth), classes.truth, is_truth=False)
    renamed_truth = mapped(truth, classes.truth, is_truth=True)
    return results_by_name(results, place.label_images, renamed_truth, classes.prediction)


def _check_exists(labels: Path) -> None:
    # Of a JSON the format says what it needs instead.
    if labels.suffix != ".json" and not labels.exists():
        raise DataError(f"{labels}: no such file or folder")


def mapped(files: LabelFiles, rules: NameRules, is_truth: bool) -> LabelFiles:
    """Read the images of a data set in other classes; without rules they stay as they are.

    Raises:
        DataError: A rule names a class that there is not, or no class is left.
    """
    if not rules:
        return files
    categories = renamed(files.categories, rules)
    recode = LabelMapTable([entry.name for entry in files.categories], categories, rules)

    def again(file: LabelFile) -> LabelFile:
        read = partial(_recoded, file, recode, categories, is_truth)
        return replace(file, read=read)

    sequences = {
        sequence: {key: again(file) for key, file in found.items()}
        for sequence, found in files.sequences.items()
    }
    return LabelFiles(categories, sequences, files.is_video, remarks=files.remarks)


def _recoded(
    file: LabelFile, recode: LabelMapTable, categories: tuple[Category, ...], is_truth: bool
) -> Annotation:
    return MapAnnotation(recode.apply(file.read().map), categories, is_truth)
