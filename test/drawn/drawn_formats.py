# SPDX-License-Identifier: Apache-2.0
"""The same two images, written in the layout and encoding of every data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.files import rle
from panoptic_ros.data.cityscapes import write_png
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.kitti_step import write_kitti_step

# One letter is one pixel: road, sky, void, and digits for cars.
DRAWN = ("ssrr1122", "ssrr1.22")
SIZE = (8, 4)


def grid(drawn: str) -> NDArray[np.str_]:
    """One row of letters, four times."""
    return np.array([list(drawn)] * SIZE[1])


def _values(drawn: str, table: dict[str, int]) -> NDArray[np.int64]:
    return np.vectorize(table.__getitem__)(grid(drawn))


@dataclass(frozen=True)
class Written:
    """Where a data set lies, and what its classes are called."""

    format: str
    gt: Path
    images: Path | None
    names: tuple[str, str, str]


def _label_image(path: Path, values: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, values)


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((SIZE[1], SIZE[0], 3), 100, np.uint8))


def coco(root: Path) -> Written:
    """``annotations/panoptic_val.json``, images beside it, images in ``val``."""
    table = {"r": 70000, "s": 5, "1": 900, "2": 16_000_000, ".": 0}
    class_of = {70000: 7, 5: 23, 900: 26, 16_000_000: 26}
    folder = root / "annotations" / "panoptic_val"
    folder.mkdir(parents=True)
    document: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [
            {"id": 7, "name": "road", "isthing": 0},
            {"id": 23, "name": "sky", "isthing": 0},
            {"id": 26, "name": "car", "isthing": 1},
        ],
    }
    for number, drawn in enumerate(DRAWN):
        ids = _values(drawn, table).astype(np.uint32)
        write_ids(folder / f"{number:04}.png", ids)
        _image(root / "annotations" / "val" / f"{number:04}.jpg")
        infos = [
            {"id": key, "category_id": class_of[key], "area": int((ids == key).sum())}
            for key in np.unique(ids[ids > 0]).tolist()
        ]
        document["images"].append(
            {"id": number, "file_name": f"{number:04}.jpg", "width": 8, "height": 4}
        )
        document["annotations"].append(
            {"image_id": number, "file_name": f"{number:04}.png", "segments_info": infos}
        )
    path = root / "annotations" / "panoptic_val.json"
    path.write_text(json.dumps(document))
    return Written("coco", path, None, ("road", "sky", "car"))


def cityscapes(root: Path) -> Written:
    """``gtFine/val/<city>`` and ``leftImg8bit/val/<city>``."""
    table = {"r": 7, "s": 23, "1": 26000, "2": 26001, ".": 0}
    for number, drawn in enumerate(DRAWN):
        name = f"bonn_{number:06}_000019"
        path = root / "gtFine" / "val" / "bonn" / f"{name}_gtFine_instanceIds.png"
        _label_image(path, _values(drawn, table).astype(np.uint16))
        _image(root / "leftImg8bit" / "val" / "bonn" / f"{name}_leftImg8bit.png")
    return Written("cityscapes", root / "gtFine" / "val", None, ("road", "sky", "car"))


def kitti_step(root: Path) -> Written:
    """``panoptic_maps/val/<sequence>`` and ``images/<sequence>``."""
    labels = {"r": 0, "s": 10, "1": 13, "2": 13, ".": 255}
    ids = {"r": 0, "s": 0, "1": 1, "2": 700, ".": 0}
    for number, drawn in enumerate(DRAWN):
        path = root / "panoptic_maps" / "val" / "0002" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        maps = _values(drawn, labels).astype(np.uint8), _values(drawn, ids).astype(np.uint16)
        write_kitti_step(path, *maps)
        _image(root / "images" / "0002" / f"{number:06}.png")
    gt = root / "panoptic_maps" / "val"
    return Written("kitti-step", gt, root / "images", ("road", "sky", "car"))


MOTS = {"r": 0, "s": 0, "1": 1000, "2": 1007, ".": 10000}


def kitti_mots(root: Path) -> Written:
    """``instances/<sequence>`` and ``image_02/<sequence>``."""
    for number, drawn in enumerate(DRAWN):
        path = root / "instances" / "0002" / f"{number:06}.png"
        _label_image(path, _values(drawn, MOTS).astype(np.uint16))
        _image(root / "image_02" / "0002" / f"{number:06}.png")
    names = ("background", "background", "car")
    return Written("kitti-mots", root / "instances", root / "image_02", names)


def kitti_mots_text(root: Path) -> Written:
    """``instances_txt/<sequence>.txt`` and ``image_02/<sequence>``."""
    lines = []
    for number, drawn in enumerate(DRAWN):
        values = _values(drawn, MOTS)
        lines += [
            f"{number} {key} {key // 1000} {SIZE[1]} {SIZE[0]} {rle.encode(values == key)}"
            for key in np.unique(values[values > 0]).tolist()
        ]
        _image(root / "image_02" / "0002" / f"{number:06}.png")
    path = root / "instances_txt" / "0002.txt"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")
    names = ("background", "background", "car")
    return Written("kitti-mots", path.parent, root / "image_02", names)


def ade20k(root: Path) -> Written:
    """``<place>/<image>_seg.png``, ``<image>.json`` and ``<image>.jpg``."""
    table = {"r": 2131, "s": 2420, "1": 401, "2": 401, ".": 0}
    parts = {"r": 1, "s": 2, "1": 3, "2": 4, ".": 0}
    names = {2131: "road, route", 2420: "sky", 401: "car"}
    folder = root / "images" / "street"
    folder.mkdir(parents=True)
    objects = [{"name_ndx": number, "name": name} for number, name in names.items()]
    for number, drawn in enumerate(DRAWN):
        classes = _values(drawn, table)
        bgr = [_values(drawn, parts), classes % 256, classes // 256 * 10]
        _label_image(folder / f"ADE_{number}_seg.png", np.dstack(bgr).astype(np.uint8))
        document = {"annotation": {"object": objects}}
        (folder / f"ADE_{number}.json").write_text(json.dumps(document))
        _image(folder / f"ADE_{number}.jpg")
    return Written("ade20k", root / "images", None, ("road, route", "sky", "car"))


def vistas(root: Path, version: str = "v2.0") -> Written:
    """``validation/<version>/instances``, ``validation/images`` and the configuration."""
    table = {"r": 0, "s": 256, "1": 512, "2": 513, ".": 768}
    named = (
        ("Road", False, True),
        ("Sky", False, True),
        ("Car", True, True),
        ("Unlabeled", False, False),
    )
    labels = [
        {"readable": name, "name": name, "instances": thing, "evaluate": counts}
        for name, thing, counts in named
    ]
    root.mkdir(parents=True, exist_ok=True)
    (root / f"config_{version}.json").write_text(json.dumps({"labels": labels}))
    gt = root / "validation" / version / "instances"
    for number, drawn in enumerate(DRAWN):
        _label_image(gt / f"pic{number}.png", _values(drawn, table).astype(np.uint16))
        _image(root / "validation" / "images" / f"pic{number}.jpg")
    return Written("vistas", gt, None, ("Road", "Sky", "Car"))


def vistas_1_2(root: Path) -> Written:
    """The same in version 1.2."""
    return vistas(root, "v1.2")


WRITERS: dict[str, Callable[[Path], Written]] = {
    "coco": coco,
    "cityscapes": cityscapes,
    "kitti-step": kitti_step,
    "kitti-mots": kitti_mots,
    "kitti-mots text": kitti_mots_text,
    "ade20k": ade20k,
    "vistas 1.2": vistas_1_2,
    "vistas 2.0": vistas,
}
