# SPDX-License-Identifier: Apache-2.0
"""Reading Cityscapes instanceIds, written here in the official encoding."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.cityscapes import (
    CATEGORIES,
    LABEL_IDS,
    find_instance_ids,
    read_instance_ids,
    write_cityscapes,
)

VOID = 255
ROAD, CAR = 0, 13


def image(path: Path, values: list[int]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.array([values], np.uint16))
    return path


def test_position_is_the_train_id_and_id_the_label_id() -> None:
    assert [category.id for category in CATEGORIES] == list(LABEL_IDS.values())
    assert [category.name for category in CATEGORIES if category.is_thing][:3] == [
        "person",
        "rider",
        "car",
    ]


def test_a_pixel_is_a_label_id_or_a_thousand_times_it_plus_an_object(tmp_path: Path) -> None:
    found = read_instance_ids(image(tmp_path / "x.png", [7, 26000, 26001, 33004]))
    assert found.labels.tolist() == [[ROAD, CAR, CAR, 18]]
    assert found.ids.tolist() == [[0, 1, 2, 5]]


def test_a_thing_without_a_number_is_a_group(tmp_path: Path) -> None:
    found = read_instance_ids(image(tmp_path / "x.png", [26]))
    assert (found.labels.tolist(), found.ids.tolist()) == ([[CAR]], [[0]])


@pytest.mark.parametrize("value", [0, 1, 3, 4, 9, 14, 18, 29, 30, 29001, 65535])
def test_classes_that_are_not_evaluated_are_void(tmp_path: Path, value: int) -> None:
    assert read_instance_ids(image(tmp_path / "x.png", [value])).labels.tolist() == [[VOID]]


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    labels = np.array([[7, 26, 26, 0]], np.uint8)
    write_cityscapes(tmp_path, "x", labels, np.array([[0, 4, 9, 0]], np.uint16))
    found = read_instance_ids(tmp_path / "x_instanceIds.png")
    assert found.labels.tolist() == [[ROAD, CAR, CAR, VOID]]
    assert found.ids.tolist() == [[0, 1, 2, 0]]


def test_an_8_bit_image_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match=r"x\.png: is uint8 \(2, 2\), needs 16-bit grey"):
        read_instance_ids(tmp_path / "x.png")


def test_truth_and_prediction_have_the_name_of_their_image(tmp_path: Path) -> None:
    truth = image(tmp_path / "gt/aachen/aachen_000000_000019_gtFine_instanceIds.png", [7])
    name = "aachen_000000_000019_leftImg8bit_instanceIds.png"
    predicted = image(tmp_path / "out" / name, [7])
    assert find_instance_ids(tmp_path / "gt") == {"aachen_000000_000019": truth}
    assert find_instance_ids(tmp_path / "out") == {"aachen_000000_000019": predicted}


def test_two_files_of_one_image_are_refused(tmp_path: Path) -> None:
    image(tmp_path / "a_instanceIds.png", [7])
    image(tmp_path / "city/a_gtFine_instanceIds.png", [7])
    with pytest.raises(DataError, match="are both of the image a"):
        find_instance_ids(tmp_path)


def test_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \*_instanceIds\.png"):
        find_instance_ids(tmp_path)
