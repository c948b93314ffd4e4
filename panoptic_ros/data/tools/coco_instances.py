# SPDX-License-Identifier: Apache-2.0
"""COCO instances with track ids: ``instances.json``.

Source: the data format at https://cocodataset.org/#format-data. ``track_id`` is an addition, in
the annotation and in its ``attributes``, where CVAT and Datumaro keep what COCO has no field for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.files import rle
from panoptic_ros.data.json_document import MalformedError, entries, read_document, whole_number
from panoptic_ros.data.tools.objects import ToolImage, ToolObject, ToolWriter, tool_format

NAME = "instances.json"


class CocoInstancesWriter(ToolWriter):
    """Writes ``instances.json``; masks are compressed run lengths."""

    file_name = NAME

    def item(self, image: ToolImage, number: int) -> Any:
        """Pack one image: its entry and those of its objects."""
        height, width = image.size
        entry = {"id": number, "file_name": image.name, "width": width, "height": height}
        return entry, [self._object(one, number) for one in image.objects]

    def document(self, items: Sequence[Any]) -> str:
        """Number the objects and write the file."""
        objects = [one for _, found in items for one in found]
        annotations = [{"id": number, **one} for number, one in enumerate(objects, start=1)]
        categories = [
            {"id": number, "name": name, "supercategory": ""}
            for number, name in enumerate(self.names, start=1)
        ]
        content = {"images": [entry for entry, _ in items], "annotations": annotations}
        return json.dumps({**content, "categories": categories})

    def _object(self, one: ToolObject, image_id: int) -> dict[str, Any]:
        mask = one.draw()
        left, top, right, bottom = mask_box(mask)
        return {
            "image_id": image_id,
            "category_id": self.names.index(one.name) + 1,
            "segmentation": {"size": list(mask.shape), "counts": rle.encode(mask)},
            "area": int(mask.sum()),
            "bbox": [left, top, right - left, bottom - top],
            "iscrowd": 0,
            "score": one.score,
            "probabilities": dict(one.probabilities),
            "track_id": one.track_id,
            "attributes": {"track_id": one.track_id},
        }


def parse(path: Path) -> tuple[list[str], list[ToolImage]]:
    """Read classes and images; masks are decoded when they are asked for.

    Raises:
        DataError: The file cannot be read.
        MalformedError, KeyError, TypeError, ValueError: It is no such file.
    """
    document = read_document(path)
    listed = {
        whole_number(entry, "id", where): str(entry["name"])
        for where, entry in entries(document, "categories")
    }
    objects: dict[int, list[dict[str, Any]]] = {}
    for where, entry in entries(document, "annotations"):
        objects.setdefault(whole_number(entry, "image_id", where), []).append(dict(entry))
    images = []
    for where, entry in entries(document, "images"):
        size = (whole_number(entry, "height", where), whole_number(entry, "width", where))
        found = objects.get(whole_number(entry, "id", where), [])
        told = tuple(_parsed(one, size, listed) for one in found)
        images.append(ToolImage(str(entry["file_name"]), size, told))
    return list(listed.values()), images


def _parsed(entry: dict[str, Any], size: tuple[int, int], names: dict[int, str]) -> ToolObject:
    attributes = entry.get("attributes") or {}
    track = entry.get("track_id", attributes.get("track_id", 0))
    draw = partial(mask_of, entry["segmentation"], size)
    return ToolObject(names[int(entry["category_id"])], int(track or 0), None, draw)


def mask_of(segmentation: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw a mask: compressed or plain run lengths, or polygons.

    Args:
        segmentation: As COCO keeps it.
        size: (height, width) of the image.

    Raises:
        DataError, MalformedError: It is none of these.
    """
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        if isinstance(counts, str):
            return rle.decode(counts, size)
        runs = np.asarray(counts, np.int64)
        if runs.sum() != size[0] * size[1]:
            raise MalformedError(f"run lengths cover {runs.sum()} pixels, not {size}")
        values = np.arange(runs.size) % 2 == 1
        return np.asarray(np.repeat(values, runs).reshape(size, order="F"), np.bool_)
    drawn = np.zeros(size, np.uint8)
    for corners in segmentation:
        points = np.asarray(corners, np.float64).reshape(-1, 2).round().astype(np.int32)
        cv2.fillPoly(drawn, [points], 1)
    return drawn.astype(np.bool_)


FORMAT = tool_format(
    CocoInstancesWriter,
    parse,
    f"{NAME} with track_id, or the folder with it",
    f"{NAME} with track_id",
)
