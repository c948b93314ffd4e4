# SPDX-License-Identifier: Apache-2.0
"""CVAT for images 1.1: ``annotations.xml`` with a mask for each object.

Source: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ ; the runs of a mask go
along the rows of its box and start with background.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.core.files.rle import run_starts
from panoptic_ros.data.json_document import MalformedError
from panoptic_ros.data.tools.objects import ToolImage, ToolObject, ToolWriter, tool_format

NAME = "annotations.xml"
_SHAPES = ("mask", "polygon", "box")


class CvatWriter(ToolWriter):
    """Writes ``annotations.xml``; the track id is an attribute of each mask."""

    file_name = NAME

    def item(self, image: ToolImage, number: int) -> Any:
        """Pack one image as an element."""
        height, width = image.size
        told = {"id": number - 1, "name": image.name, "width": width, "height": height}
        element = ElementTree.Element("image", {key: str(value) for key, value in told.items()})
        for order, one in enumerate(image.objects):
            element.append(_mask(one, order))
        return element

    def document(self, items: Sequence[Any]) -> str:
        """Write the classes and the images."""
        root = ElementTree.Element("annotations")
        ElementTree.SubElement(root, "version").text = "1.1"
        task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
        labels = ElementTree.SubElement(task, "labels")
        for name in self.names:
            label = ElementTree.SubElement(labels, "label")
            ElementTree.SubElement(label, "name").text = name
            attribute = ElementTree.SubElement(
                ElementTree.SubElement(label, "attributes"), "attribute"
            )
            for key, value in _TRACK.items():
                ElementTree.SubElement(attribute, key).text = value
        root.extend(items)
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


_TRACK = {
    "name": "track_id",
    "mutable": "False",
    "input_type": "number",
    "default_value": "0",
    "values": "0\n65535\n1",
}
"""How the attribute for the track id is declared."""


def _mask(one: ToolObject, order: int) -> ElementTree.Element:
    mask = one.draw()
    left, top, right, bottom = mask_box(mask)
    inside = mask[top:bottom, left:right]
    flat = np.concatenate(([False], inside.ravel()))
    runs = np.diff(np.append(run_starts(flat), flat.size))
    runs[0] -= 1
    told = {
        "label": one.name,
        "source": "auto",
        "occluded": 0,
        "rle": ", ".join(map(str, runs.tolist())),
        "left": left,
        "top": top,
        "width": inside.shape[1],
        "height": inside.shape[0],
        "z_order": order,
    }
    element = ElementTree.Element("mask", {key: str(value) for key, value in told.items()})
    ElementTree.SubElement(element, "attribute", {"name": "track_id"}).text = str(one.track_id)
    return element


def parse(path: Path) -> tuple[list[str], list[ToolImage]]:
    """Read classes and images: masks, polygons and boxes.

    Raises:
        DataError: The file cannot be read.
        MalformedError, KeyError, ValueError: It is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({reason_of(error)})") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError(f"{path}: declares entities, which files of CVAT do not")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: is not XML ({error})") from error
    images = [_image(element) for element in root.iter("image")]
    names = [label.findtext("name") or "" for label in root.iter("label")]
    if not names:
        names = sorted({one.name for image in images for one in image.objects})
    return names, images


def _image(element: ElementTree.Element) -> ToolImage:
    size = (int(element.attrib["height"]), int(element.attrib["width"]))
    shapes = [shape for shape in element if shape.tag in _SHAPES]
    shapes.sort(key=lambda shape: int(shape.get("z_order", 0)))
    return ToolImage(element.attrib["name"], size, tuple(_object(one, size) for one in shapes))


def _object(shape: ElementTree.Element, size: tuple[int, int]) -> ToolObject:
    told = {entry.get("name"): entry.text for entry in shape.iter("attribute")}
    draw = partial(_drawn, shape.tag, dict(shape.attrib), size)
    return ToolObject(shape.attrib["label"], int(told.get("track_id") or 0), None, draw)


def _drawn(kind: str, told: dict[str, str], size: tuple[int, int]) -> NDArray[np.bool_]:
    drawn = np.zeros(size, np.uint8)
    if kind == "mask":
        left, top, width, height = (int(told[key]) for key in ("left", "top", "width", "height"))
        runs = np.array([int(run) for run in told["rle"].split(",")], np.int64)
        if runs.min() < 0 or runs.sum() != width * height:
            raise MalformedError(f"run lengths cover {runs.sum()} pixels, not {width}x{height}")
        values = (np.arange(runs.size) % 2).astype(np.uint8)
        inside = np.repeat(values, runs).reshape(height, width)
        drawn[top : top + height, left : left + width] = inside[: size[0] - top, : size[1] - left]
    elif kind == "polygon":
        pairs = [point.split(",") for point in told["points"].split(";")]
        points = np.array(pairs, np.float64).round().astype(np.int32)
        cv2.fillPoly(drawn, [points], 1)
    else:
        x0, y0, x1, y1 = (round(float(told[key])) for key in ("xtl", "ytl", "xbr", "ybr"))
        drawn[y0:y1, x0:x1] = 1
    return drawn.astype(np.bool_)


FORMAT = tool_format(
    CvatWriter,
    parse,
    f"{NAME} of CVAT for images 1.1, or the folder with it",
    f"{NAME} for CVAT with masks and track_id",
    reads_json=False,
)
