# SPDX-License-Identifier: Apache-2.0
"""Datumaro's own format: ``annotations/default.json`` with a mask for each object.

Source: https://open-edge-platform.github.io/datumaro/ , "Datumaro" among the data formats.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from panoptic_ros.core.files import rle
from panoptic_ros.data.json_document import entries, read_document
from panoptic_ros.data.tools.coco_instances import mask_of
from panoptic_ros.data.tools.objects import ToolImage, ToolObject, ToolWriter, tool_format

NAME = "annotations/default.json"


class DatumaroWriter(ToolWriter):
    """Writes ``annotations/default.json``."""

    file_name = NAME

    def item(self, image: ToolImage, number: int) -> Any:
        """Pack one image."""
        return {
            "id": Path(image.name).stem,
            "annotations": [self._object(one, order) for order, one in enumerate(image.objects)],
            "attr": {"frame": number - 1},
            "image": {"path": image.name, "size": list(image.size)},
        }

    def document(self, items: Sequence[Any]) -> str:
        """Write classes and images."""
        labels = [{"name": name, "parent": "", "attributes": []} for name in self.names]
        categories = {"label": {"labels": labels, "attributes": ["track_id"]}}
        content = {"dm_format_version": "1.0", "media_type": 2, "infos": {}}
        return json.dumps({**content, "categories": categories, "items": list(items)})

    def _object(self, one: ToolObject, order: int) -> dict[str, Any]:
        mask = one.draw()
        counts = {"counts": rle.encode(mask), "size": list(mask.shape)}
        return {
            "id": order,
            "type": "mask",
            "attributes": {"track_id": one.track_id, "score": one.score},
            "group": 0,
            "label_id": self.names.index(one.name),
            "rle": counts,
            "z_order": order,
        }


def parse(path: Path) -> tuple[list[str], list[ToolImage]]:
    """Read classes and images: masks and polygons; boxes and captions are left out.

    Raises:
        DataError: The file cannot be read.
        MalformedError, KeyError, TypeError, ValueError: It is no such file.
    """
    document = read_document(path)
    names = [str(entry["name"]) for entry in document["categories"]["label"]["labels"]]
    images = []
    for _, entry in entries(document, "items"):
        height, width = (int(side) for side in entry["image"]["size"])
        found = [one for one in entry["annotations"] if one["type"] in ("mask", "polygon")]
        found.sort(key=lambda one: int(one.get("z_order", 0)))
        told = tuple(_parsed(one, (height, width), names) for one in found)
        name = str(entry["image"].get("path") or entry["id"])
        images.append(ToolImage(name, (height, width), told))
    return names, images


def _parsed(entry: dict[str, Any], size: tuple[int, int], names: Sequence[str]) -> ToolObject:
    track = (entry.get("attributes") or {}).get("track_id", 0)
    shape = entry["rle"] if entry["type"] == "mask" else [entry["points"]]
    draw = partial(mask_of, shape, size)
    return ToolObject(names[int(entry["label_id"])], int(track or 0), None, draw)


FORMAT = tool_format(
    DatumaroWriter, parse, f"a Datumaro folder with {NAME}, or that file", f"{NAME} for Datumaro"
)
