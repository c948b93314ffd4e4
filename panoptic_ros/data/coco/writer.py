# SPDX-License-Identifier: Apache-2.0
"""Write predictions as a COCO panoptic folder: ``predictions.json`` and ``panoptic/<stem>.png``.

Source: the result format at https://cocodataset.org/#format-results (panoptic).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import parse_json
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.data.coco.reader import write_ids
from panoptic_ros.data.coco.segments import segment_map


@dataclass(frozen=True)
class Numbering:
    """Which numbers a data set uses.

    Attributes:
        categories: The ``categories`` of the JSON.
        category_ids: Category id of a class index; classes that are absent become void.
        image_ids: Image id of a file stem; other images are numbered behind them.
    """

    categories: tuple[Mapping[str, Any], ...]
    category_ids: Mapping[int, int]
    image_ids: Mapping[str, int]


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
        image_ids = {
            Path(entry["file_name"]).stem: int(entry["id"]) for entry in document.get("images", ())
        }
    except OSError as error:
        raise DataError(f"{json_path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"{json_path}: not a COCO panoptic file ({error!r})") from error
    found = {label.index: by_name[label.name] for label in labels.labels if label.name in by_name}
    if not found:
        ours = ", ".join(label.name for label in labels.labels[:5])
        raise DataError(
            f"{json_path}: shares no class name with the model; it has "
            f"{', '.join(sorted(by_name)[:5])}, ...; the model {ours}, ..."
        )
    return Numbering(categories, found, image_ids)


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
    ) -> None:
        """Write one image and remember its segments.

        Args:
            file_name: Of the image.
            labels: Class index per pixel, 255 void, (H, W).
            ids: Object per pixel, 0 for none, (H, W). Thing pixels without object become void.
            scores: 0..1 of each object.
            confidence: 0..255 per pixel, (H, W); its mean is the score of a stuff segment.

        Raises:
            DataError: The image cannot be written.
        """
        stem = Path(file_name).stem
        known = self._numbering.image_ids
        image_id = known.get(stem, max(known.values(), default=0) + len(self._images) + 1)
        segments = segment_map(labels, ids, self._numbering.category_ids, self._things)
        infos = [
            self._info(segment, segments, labels, scores, confidence)
            for segment in np.unique(segments[segments > 0]).tolist()
        ]
        write_ids(self._folder / "panoptic" / f"{stem}.png", segments)
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
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        top, left = int(rows[0]), int(columns[0])
        label = int(labels[mask][0])
        score = scores.get(segment) if self._things[label] else None
        if score is None:
            score = float(confidence[mask].mean()) / 255
        return {
            "id": segment,
            "category_id": self._numbering.category_ids[label],
            "area": int(mask.sum()),
            "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
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
            path.write_text(json.dumps(document), encoding="utf-8")
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from error
