# SPDX-License-Identifier: Apache-2.0
"""KITTI-STEP images: red is the class, green and blue the object."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.result import Result
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.types import Drivable, Frame, Panoptic, Segment
from panoptic_ros.data.kitti_step import (
    CATEGORIES,
    KittiStepWriter,
    find_sequences,
    read_kitti_step,
    read_labels,
    write_kitti_step,
)


def test_red_is_the_class_green_the_high_and_blue_the_low_byte_of_the_id(tmp_path: Path) -> None:
    classes = np.array([[13, 255, 0]], np.uint8)
    ids = np.array([[0x1234, 0, 65535]], np.uint16)
    write_kitti_step(tmp_path / "x.png", classes, ids)
    rgb = cv2.imread(str(tmp_path / "x.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert rgb.tolist() == [[[13, 0x12, 0x34], [255, 0, 0], [0, 255, 255]]]
    read = read_kitti_step(tmp_path / "x.png")
    np.testing.assert_array_equal(read[0], classes)
    np.testing.assert_array_equal(read[1], ids)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"", "the file is empty"), (b"no image", "is not an image")],
)
def test_a_bad_image_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.png: {words}"):
        read_kitti_step(tmp_path / "x.png")


def test_a_grey_image_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match="needs 8-bit RGB"):
        read_kitti_step(tmp_path / "x.png")


def write(path: Path, labels: list[int], ids: list[int]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_kitti_step(path, np.array([labels], np.uint8), np.array([ids], np.uint16))
    return path


def test_things_are_persons_and_cars() -> None:
    assert [entry.name for entry in CATEGORIES if entry.is_thing] == ["person", "car"]
    assert [entry.id for entry in CATEGORIES] == list(range(19))


def test_a_class_that_the_format_lacks_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.png", [0, 19], [0, 0])
    with pytest.raises(DataError, match=r"x\.png: has class 19; KITTI-STEP has 0 to 18 and 255"):
        read_labels(path)


def test_labels_are_classes_and_objects(tmp_path: Path) -> None:
    image = read_labels(write(tmp_path / "x.png", [13, 255], [300, 0]))
    assert image.labels.tolist() == [[13, 255]]
    assert image.ids.tolist() == [[300, 0]]


def test_sequences_are_folders_of_frames(tmp_path: Path) -> None:
    for name in ("0002/000001", "0002/000000", "0010/000000"):
        write(tmp_path / f"{name}.png", [0], [0])
    (tmp_path / "empty").mkdir()
    found = find_sequences(tmp_path)
    assert {name: list(frames) for name, frames in found.items()} == {
        "0002": ["000000", "000001"],
        "0010": ["000000"],
    }


def test_a_folder_of_frames_is_one_sequence(tmp_path: Path) -> None:
    write(tmp_path / "000000.png", [0], [0])
    assert list(find_sequences(tmp_path)) == [tmp_path.name]


def test_a_folder_of_frames_has_its_name_even_from_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "0007" / "000000.png", [0], [0])
    monkeypatch.chdir(tmp_path / "0007")
    assert list(find_sequences(Path())) == ["0007"]
    assert list(find_sequences(Path("../0007"))) == ["0007"]


def test_frames_beside_folders_of_frames_are_no_sequence_of_another_name(tmp_path: Path) -> None:
    for name in ("000000", "0002/000000"):
        write(tmp_path / f"{name}.png", [0], [0])
    assert list(find_sequences(tmp_path)) == ["", "0002"]


@pytest.mark.parametrize("name", [".", "absent"])
def test_a_folder_without_frames_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"holds no \.png file"):
        find_sequences(tmp_path / name)


def test_an_object_keeps_its_id_while_the_network_renumbers_it(tmp_path: Path) -> None:
    car = LabelSet("drawn", (Label(0, "car", True, False, (0, 0, 142)),))
    writer, tracker = KittiStepWriter(tmp_path, car), Tracker(TrackConfig())
    boxes = ((0, 0, 4, 8), (12, 0, 16, 8))
    for frame, order in enumerate(([1, 2], [2, 1])):
        ids = np.zeros((8, 16), np.uint16)
        for number, (left, top, right, bottom) in zip(order, boxes, strict=True):
            ids[top:bottom, left:right] = number
        by_number = sorted(zip(order, boxes, strict=True))
        segments = tuple(Segment(number, 0, 0.9, 32, box) for number, box in by_number)
        labels = np.where(ids > 0, 0, 255).astype(np.uint8)
        panoptic = Panoptic(labels, ids, np.full((8, 16), 200, np.uint8), segments)
        tracks = tracker.update(panoptic, frame * 100_000_000)
        nowhere = Drivable(ids > 99, labels, np.full(16, 7, np.int32))
        image = Frame(np.zeros((8, 16, 3), np.uint8), 0, "front")
        writer.write(Result(image, panoptic, tracks, nowhere, label_set=car), f"{frame}.png")
    for frame in range(2):
        ids = read_kitti_step(tmp_path / f"{frame}.png")[1]
        assert [ids[0, 0], ids[0, 15]] == [1, 2]
