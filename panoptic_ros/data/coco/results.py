# SPDX-License-Identifier: Apache-2.0
"""COCO panoptic results as label files: for a COCO data set, or for one of another format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from panoptic_ros.core.classes.categories import VOID_ID, Category
from panoptic_ros.core.classes.label_table import NameRules
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.annotation import Annotation, MapAnnotation, SegmentAnnotation
from panoptic_ros.data.class_map import LabelMapTable
from panoptic_ros.data.coco.ids import read_listed_ids
from panoptic_ros.data.coco.reader import (
    CocoPrediction,
    ImageId,
    read_categories,
    read_coco_predictions,
    read_coco_results,
)
from panoptic_ros.data.image_search import bare_name
from panoptic_ros.data.label_files import LabelFile, LabelFiles, by_key

Predictions = Mapping[ImageId, CocoPrediction]


def results_of(labels: Path) -> Path | None:
    """Find the JSON of results: itself, or ``predictions.json`` in a folder."""
    if labels.suffix == ".json":
        return labels
    written = labels / "predictions.json"
    return written if written.is_file() else None


def label_images_of(json_path: Path, option: str) -> Path:
    """Find the folder of PNG files that belongs to a JSON.

    Args:
        json_path: The JSON.
        option: What to name the folder with otherwise.

    Raises:
        DataError: There is no such JSON, or no folder beside it.
    """
    if not json_path.is_file():
        raise DataError(f"{json_path}: no such file; needs COCO's panoptic JSON")
    found = beside(json_path, json_path.stem, "panoptic")
    if found is None:
        raise DataError(
            f"{json_path}: its PNG files are neither in {json_path.stem}/ nor in panoptic/ beside "
            f"it; name their folder with {option}"
        )
    return found


def beside(json_path: Path, *names: str) -> Path | None:
    """Find the first folder of these names beside a file."""
    places = (json_path.parent / name for name in names)
    return next((place for place in places if place.is_dir()), None)


def results_for(json_path: Path, label_images: Path | None, truth: LabelFiles) -> LabelFiles:
    """Open results for a COCO data set.

    Images and classes are those of the data set, by their ids. Where ids fit nothing, or other
    images and classes than the names say, the names count, and a remark says so.

    Raises:
        DataError: The JSON is wrong, the PNG files are not beside it, or neither ids nor names
            are known to the data set.
    """
    folder = label_images or label_images_of(json_path, "--pred-dir")
    results = read_coco_results(json_path, folder)
    matched, image_remark = _matched(json_path, results.predictions, truth)
    class_ids, class_remark = _class_ids(results.class_names, truth.categories)
    files = {
        key: LabelFile(
            prediction.panoptic.stem,
            prediction.panoptic,
            partial(_read_numbered, prediction, truth.categories, class_ids),
        )
        for key, prediction in matched.items()
    }
    remarks = tuple(remark for remark in (image_remark, class_remark) if remark)
    return LabelFiles(truth.categories, {"": files}, remarks=remarks)


def _matched(
    json_path: Path, predictions: Predictions, truth: LabelFiles
) -> tuple[dict[str, CocoPrediction], str]:
    """Predictions by the key of the truth, and how they were matched where not by id."""
    labelled = truth.sequences[""]
    by_id = {str(number): prediction for number, prediction in predictions.items()}
    shared = by_id.keys() & labelled.keys()
    if not by_id or any(_is_of(by_id[key], labelled[key]) for key in shared):
        return by_id, ""
    by_name = _by_name(labelled, by_id)
    if by_name:
        return by_name, "Image ids of the predictions fit no image: matched by file name."
    if shared:
        return by_id, ""
    true_key, predicted_key = next(iter(labelled)), next(iter(by_id))
    raise DataError(
        f"{json_path}: no prediction has the id or the name of a labelled image; the truth has "
        f"{true_key} ({labelled[true_key].name}), the predictions {predicted_key} "
        f"({by_id[predicted_key].panoptic.name})"
    )


def _names(prediction: CocoPrediction) -> list[str]:
    stems = [Path(prediction.file_name).stem, prediction.panoptic.stem]
    return [name for stem in stems if stem for name in (stem, bare_name(stem))]


def _is_of(prediction: CocoPrediction, labelled: LabelFile) -> bool:
    return bare_name(labelled.name) in _names(prediction)


def _by_name(
    labelled: Mapping[str, LabelFile], by_id: Mapping[str, CocoPrediction]
) -> dict[str, CocoPrediction]:
    """Predictions by key, as far as an image has their name.

    Raises:
        DataError: Two images, or two predictions, have the same name.
    """
    keys_of: dict[str, list[str]] = {}
    for key, file in labelled.items():
        keys_of.setdefault(bare_name(file.name), []).append(key)
    found: dict[str, CocoPrediction] = {}
    for prediction in by_id.values():
        keys = next((keys_of[name] for name in _names(prediction) if name in keys_of), None)
        if keys is None:
            continue
        if len(keys) > 1:
            first, second = (labelled[key].image or labelled[key].path for key in keys[:2])
            raise DataError(
                f"{prediction.panoptic} may be of {first} or of {second}; predictions need the "
                "image ids of the data set"
            )
        key = keys[0]
        if key in found:
            raise DataError(
                f"{found[key].panoptic} and {prediction.panoptic} are both of the image "
                f"{labelled[key].name}"
            )
        found[key] = prediction
    return found


def _class_ids(
    theirs: Mapping[int, str], categories: Sequence[Category]
) -> tuple[dict[int, int] | None, str]:
    """Ids of the truth's classes by the results' ids, where those mean other classes."""
    ours = {entry.id: entry.name for entry in categories}
    shared = ours.keys() & theirs.keys()
    same_names = set(ours.values()) & set(theirs.values())
    if not same_names or (shared and all(ours[key] == theirs[key] for key in shared)):
        return None, ""
    id_of = {name: number for number, name in ours.items()}
    ids = {number: id_of[name] for number, name in theirs.items() if name in id_of}
    return ids, "Class ids of the predictions mean other classes: matched by class name."


def _read_numbered(
    prediction: CocoPrediction,
    categories: Sequence[Category],
    class_ids: Mapping[int, int] | None,
) -> Annotation:
    ids = read_listed_ids(prediction.panoptic, prediction.segments)
    if class_ids is None:
        return SegmentAnnotation(ids, prediction.segments, categories)
    listed = [
        segment._replace(category_id=class_ids[segment.category_id])
        for segment in prediction.segments
        if segment.category_id in class_ids
    ]
    unknown = {segment.id for segment in prediction.segments} - {entry.id for entry in listed}
    ids[np.isin(ids, list(unknown))] = VOID_ID
    return SegmentAnnotation(ids, listed, categories)


def results_by_name(
    json_path: Path, label_images: Path | None, truth: LabelFiles, rules: NameRules
) -> LabelFiles:
    """Open results for a data set of another format: images and classes matched by name.

    Raises:
        DataError: The JSON is wrong or without classes, no class has a name in common, or the
            data set needs tracks, which COCO results do not have.
    """
    if truth.is_video:
        raise DataError(f"{json_path}: COCO results hold no tracks; a sequence needs label files")
    folder = label_images or label_images_of(json_path, "--pred-dir")
    own = read_categories(json_path)
    recode = LabelMapTable([entry.name for entry in own], truth.categories, rules)
    labelled = truth.sequences[""]

    def file(prediction: CocoPrediction) -> tuple[str, LabelFile]:
        names = _names(prediction)
        key = next((name for name in names if name in labelled), names[-1])
        read = partial(_read_recoded, prediction, own, recode, truth.categories)
        return key, LabelFile(key, prediction.panoptic, read)

    predictions = read_coco_predictions(json_path, folder)
    files = by_key(file(prediction) for prediction in predictions.values())
    return LabelFiles(truth.categories, {"": files})


def _read_recoded(
    prediction: CocoPrediction,
    own: Sequence[Category],
    recode: LabelMapTable,
    categories: Sequence[Category],
) -> Annotation:
    ids = read_listed_ids(prediction.panoptic, prediction.segments)
    found = recode.apply(SegmentAnnotation(ids, prediction.segments, own).map)
    return MapAnnotation(found, categories, is_truth=False)
