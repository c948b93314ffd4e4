# SPDX-License-Identifier: Apache-2.0
"""Mapillary Vistas files, written here in its official encodings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.mapillary import read_config, read_instances, void_classes

VOID = 255


def entry(name: str, instances: bool, evaluate: bool = True) -> dict[str, Any]:
    return {
        "color": [1, 2, 3],
        "instances": instances,
        "readable": name,
        "name": name.lower(),
        "evaluate": evaluate,
    }


LABELS = [entry("Road", False), entry("Car", True), entry("Unlabeled", False, evaluate=False)]


def config(folder: Path, document: Any) -> Path:
    path = folder / "config_v2.0.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def image(folder: Path, values: list[int]) -> Path:
    cv2.imwrite(str(folder / "x.png"), np.array([values], np.uint16))
    return folder / "x.png"


def test_classes_are_those_of_the_configuration(tmp_path: Path) -> None:
    path = config(tmp_path, {"labels": LABELS, "version": "2.0"})
    assert read_config(path) == (
        Category(0, "Road", False),
        Category(1, "Car", True),
        Category(2, "Unlabeled", False),
    )
    assert void_classes(path) == (2,)


def test_a_pixel_is_class_times_256_plus_object(tmp_path: Path) -> None:
    path = config(tmp_path, {"labels": LABELS})
    found = read_instances(image(tmp_path, [0, 256, 257, 511, 512]), read_config(path))
    assert found.labels.tolist() == [[0, 1, 1, 1, 2]]
    assert found.ids.tolist() == [[0, 1, 2, 256, 0]]


def test_classes_that_are_not_evaluated_can_be_void(tmp_path: Path) -> None:
    path = config(tmp_path, {"labels": LABELS})
    found = read_instances(image(tmp_path, [256, 512]), read_config(path), void_classes(path))
    assert found.labels.tolist() == [[1, VOID]]


def test_stuff_has_no_object_whatever_its_low_byte(tmp_path: Path) -> None:
    path = config(tmp_path, {"labels": LABELS})
    assert read_instances(image(tmp_path, [9]), read_config(path)).ids.tolist() == [[0]]


def test_a_class_of_another_version_is_named(tmp_path: Path) -> None:
    path = config(tmp_path, {"labels": LABELS})
    with pytest.raises(DataError, match=r"x\.png: has class 3, the configuration has 0 to 2"):
        read_instances(image(tmp_path, [3 * 256]), read_config(path))


def test_an_8_bit_image_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match="needs 16-bit grey"):
        read_instances(tmp_path / "x.png", (Category(0, "Road", False),))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param([], "has no list 'labels'", id="no mapping"),
        pytest.param({"labels": []}, "has 0 classes", id="no classes"),
        pytest.param({"labels": [{}]}, r"labels\[0\]: readable is None", id="no name"),
        pytest.param({"labels": LABELS * 100}, "has 300 classes, needs 1 to 255", id="too many"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, document: Any, message: str) -> None:
    with pytest.raises(DataError, match=r"config_v2\.0\.json: " + message):
        read_config(config(tmp_path, document))
