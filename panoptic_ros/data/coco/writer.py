# SPDX-License-Identifier: Apache-2.0
"""Write predictions as a COCO panoptic folder: ``predictions.json`` and ``panoptic/<stem>.png``.

Source: the result format at https://cocodataset.org/#format-results (panoptic).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.errors import DataError, listed
from panoptic_ros.core.files import output
from panoptic_ros.core.files.document import parse_json, reason_of
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.result import Result
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.coco.reader import ImageId
from panoptic_ros.data.coco.segments import segment_map
from panoptic_ros.data.format import ImageWriter
from panoptic_ros.data.image_search import bare_name
from panoptic_ros.data.left_out import LeftOut


@dataclass(frozen=True)
class Numbering:
    """Which numbers a data set uses.

    Attributes:
        categories: The ``categories`` of the JSON.
        category_ids: Category id of a class index; classes that are absent become void.
        images: Id and file name of the images by bare name; others are numbered behind them.
    """

    categories: tuple[Mapping[str, Any], ...]
    category_ids: Mapping[int, int]
    images: Mapping[str, tuple[tuple[ImageId, str], ...]]

    def id_of(self, file_name: str) -> ImageId | None:
        """Find the id of an image by its file's name; None where the data set has none.

        Raises:
            DataError: The data set has several of that name.
        """
        found = self.images.get(bare_name(Path(file_name).stem), ())
        if len(found) > 1:
            raise DataError(
                f"{file_name} may be {found[0][1]} or {found[1][1]} of the data set, with the ids "
                f"{found[0][0]} and {found[1][0]}; give their images different names"
            )
        return found[0][0] if found else None

    @property
    def last_id(self) -> int:
        """Largest number among the image ids."""
        numbers = (key for found in self.images.values() for key, _ in found)
        return max((key for key in numbers if isinstance(key, int)), default=0)


def own_numbering(labels: LabelSet) -> Numbering:
    """Number the categories by class index."""
    categories = tuple(
        {
            "id": label.index,
            "name": label.name,
            "isthing": int(label.is_thing),
            "color": list(label.color),
        }
        for label in labels.labels
    )
    return Numbering(categories, {label.index: label.index for label in labels.labels}, {})


def numbering_of(json_path: Path, labels: LabelSet) -> Numbering:
    """Take categories and image ids from a ground-truth file, classes matched by name.

    Raises:
        DataError: The file cannot be read, has no categories, or shares no name with the model.
    """
    try:
        document = parse_json(json_path.read_text(encoding="utf-8"))
        categories = tuple(document["categories"])
        by_name = {str(entry["name"]): int(entry["id"]) for entry in categories}
        images = _images_by_name(document.get("images", ()))
    except OSError as error:
        raise DataError(f"{json_path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"{json_path}: not a COCO panoptic file ({reason_of(error)})") from error
    found = {label.index: by_name[label.name] for label in labels.labels if label.name in by_name}
    if not found:
        ours = listed(label.name for label in labels.labels)
        raise DataError(
            f"{json_path}: shares no class name with the model; it has "
            f"{listed(sorted(by_name))}; the model {ours}"
        )
    return Numbering(categories, found, images)


def _images_by_name(listed: Iterable[Any]) -> dict[str, tuple[tuple[ImageId, str], ...]]:
    found: dict[str, tuple[tuple[ImageId, str], ...]] = {}
    for entry in listed:
        number, file_name = entry["id"], str(entry["file_name"])
        key: ImageId = number if isinstance(number, str) else int(number)
        name = bare_name(Path(file_name).stem)
        found[name] = (*found.get(name, ()), (key, file_name))
    return found


class CocoWriter:
    """Collects the predictions of many images; ``close`` writes the JSON.

    Args:
        folder: Where ``predictions.json`` and ``panoptic/`` go; made where absent.
        numbering: Category and image ids.
        things: Which label values are things, (256,) bool.

    Raises:
        DataError: The folder cannot be made.
    """

    def __init__(self, folder: Path, numbering: Numbering, things: NDArray[np.bool_]) -> None:
        self._folder = folder
        self._numbering = numbering
        self._things = things
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        try:
            (folder / "panoptic").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{folder}: cannot be made ({error.strerror})") from error

    def add(
        self,
        file_name: str,
        labels: NDArray[np.uint8],
        ids: NDArray[np.uint16],
        scores: Mapping[int, float],
        confidence: NDArray[np.uint8],
        probabilities: Mapping[int, Mapping[str, float]] | None = None,
    ) -> None:
        """Write one image and remember its segments.

        Args:
            file_name: Of the image.
            labels: Class index per pixel, 255 void, (H, W).
            ids: Object per pixel, 0 for none, (H, W). Thing pixels without object become void.
            scores: 0..1 of each object.
            confidence: 0..255 per pixel, (H, W); its mean is the score of a stuff segment.
            probabilities: Of the classes that each object may be, by name.

        Raises:
            DataError: The image cannot be written, or its id is not clear.
        """
        stem = Path(file_name).stem
        image_id = self._numbering.id_of(file_name)
        if image_id is None:
            image_id = self._numbering.last_id + len(self._images) + 1
        segments = segment_map(labels, ids, self._numbering.category_ids, self._things)
        infos = [
            self._info(segment, segments, labels, scores, confidence)
            for segment in np.unique(segments[segments > 0]).tolist()
        ]
        write_ids(self._folder / "panoptic" / f"{stem}.png", segments)
        told = probabilities or {}
        for info in infos:
            if info["id"] in told:
                info["probabilities"] = dict(told[info["id"]])
        height, width = labels.shape
        self._images.append(
            {"id": image_id, "file_name": file_name, "width": width, "height": height}
        )
        self._annotations.append(
            {"image_id": image_id, "file_name": f"{stem}.png", "segments_info": infos}
        )

    def _info(
        self,
        segment: int,
        segments: NDArray[np.uint32],
        labels: NDArray[np.uint8],
        scores: Mapping[int, float],
        confidence: NDArray[np.uint8],
    ) -> dict[str, Any]:
        mask = segments == segment
        left, top, right, bottom = mask_box(mask)
        label = int(labels[mask][0])
        score = scores.get(segment) if self._things[label] else None
        if score is None:
            score = float(confidence[mask].mean()) / 255
        return {
            "id": segment,
            "category_id": self._numbering.category_ids[label],
            "area": int(mask.sum()),
            "bbox": [left, top, right - left, bottom - top],
            "score": round(score, 4),
            "iscrowd": 0,
        }

    def close(self) -> None:
        """Write ``predictions.json``.

        Raises:
            DataError: It cannot be written.
        """
        document = {
            "images": self._images,
            "annotations": self._annotations,
            "categories": list(self._numbering.categories),
        }
        path = self._folder / "predictions.json"
        try:
            output.write_text(path, json.dumps(document))
        except OSError as error:
            raise DataError(output.unwritten(path, error)) from error


class CocoImageWriter(ImageWriter):
    """``predictions.json`` and ``panoptic/<stem>.png``; images are independent.

    Args:
        folder: Where to.
        labels: The classes of the model.
        categories: Ground-truth file that numbers classes and images; None for numbers of its own.

    Raises:
        DataError: That file cannot be used, or the folder cannot be made.
    """

    def __init__(self, folder: Path, labels: LabelSet, categories: Path | None = None) -> None:
        numbering = numbering_of(categories, labels) if categories else own_numbering(labels)
        self._writer = CocoWriter(folder, numbering, labels.things)
        self._left_out = LeftOut(labels, numbering.category_ids, str(categories))

    def write(self, result: Result, name: str) -> None:
        """Write one image's segments.

        Raises:
            DataError: The image cannot be written, or its id is not clear.
        """
        size, panoptic = result.camera_size, result.panoptic
        self._writer.add(
            name,
            enlarge(panoptic.labels, size),
            enlarge(panoptic.ids, size),
            {segment.id: segment.score for segment in panoptic.segments},
            enlarge(panoptic.confidence, size),
            {
                segment.id: result.label_set.named_probabilities(segment.probabilities)
                for segment in panoptic.segments
            },
        )
        self._left_out.note(panoptic)

    def remarks(self) -> tuple[str, ...]:
        """Say which classes the ground-truth file lacks."""
        return self._left_out.remarks()

    def close(self) -> None:
        """Write the JSON.

        Raises:
            DataError: It cannot be written.
        """
        self._writer.close()
