# SPDX-License-Identifier: Apache-2.0
"""KITTI MOTS files, written here in its official encodings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.rle import encode
from panoptic_ros.data.kitti_mots import read_instances, read_tracks

VOID = 255


def image(path: Path, values: list[list[int]]) -> Path:
    cv2.imwrite(str(path), np.array(values, np.uint16))
    return path


def line(frame: int, number: int, label: int, mask: list[list[int]]) -> str:
    drawn = np.array(mask, np.bool_)
    height, width = drawn.shape
    return f"{frame} {number} {label} {height} {width} {encode(drawn)}"


def tracks(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def test_a_pixel_is_class_times_a_thousand_plus_object(tmp_path: Path) -> None:
    found = read_instances(image(tmp_path / "x.png", [[0, 1000, 1005, 2003, 10000]]))
    assert found.labels.tolist() == [[0, 1, 1, 2, VOID]]
    assert found.ids.tolist() == [[0, 1, 6, 4, 0]]


@pytest.mark.parametrize("value", [7, 3000, 9001, 11000])
def test_another_class_is_refused(tmp_path: Path, value: int) -> None:
    with pytest.raises(DataError, match=rf"x\.png: has {value}; classes are 1 car"):
        read_instances(image(tmp_path / "x.png", [[0, value]]))


def test_an_8_bit_image_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match="needs 16-bit grey"):
        read_instances(tmp_path / "x.png")


def test_text_and_images_say_the_same(tmp_path: Path) -> None:
    path = tracks(
        tmp_path / "0002.txt",
        line(3, 1005, 1, [[0, 1], [0, 1]]),
        line(3, 2000, 2, [[1, 0], [0, 0]]),
        line(1, 10000, 10, [[1, 1], [0, 0]]),
    )
    found = read_tracks(path)
    assert list(found) == [1, 3]
    same = read_instances(image(tmp_path / "3.png", [[2000, 1005], [0, 1005]]))
    assert found[3].labels.tolist() == same.labels.tolist()
    assert found[3].ids.tolist() == same.ids.tolist()
    assert found[1].labels.tolist() == [[VOID, VOID], [0, 0]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(["0 1005 1 2 2"], "line 1: has 5 words", id="words"),
        pytest.param(["0 x 1 2 2 22"], "line 1: invalid literal", id="number"),
        pytest.param(["0 -5 2 2 2 22"], "line 1: object is -5, needs 0 or more", id="object"),
        pytest.param(["0 7 5 2 2 22"], "frame 0: has class 5; classes are", id="class"),
        pytest.param(["0 1005 1 2 3 22"], "line 1: run lengths '22' cover 4", id="mask"),
        pytest.param(
            ["0 1005 1 2 2 22", "", "0 1006 1 2 2 22"],
            "line 3: object 1006 overlaps object 1005",
            id="overlap",
        ),
        pytest.param(["0 1005 1 2 2 22", "0 1006 1 4 1 22"], "line 2: is 1x4, frame 0", id="size"),
        pytest.param(["0 5001 5 2 2 22"], "frame 0: has 5001; classes are", id="unknown class"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=r"0002\.txt, " + message):
        read_tracks(tracks(tmp_path / "0002.txt", *lines))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.txt: cannot be read"):
        read_tracks(tmp_path / "absent.txt")


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param((1, 2, 3), id="plain"),
        pytest.param((2500, 2501, 3502), id="beyond a thousand"),
        pytest.param((70_000, 3_000_000_000, 0), id="large"),
        pytest.param((2000, 1001, 1002), id="of the other class by the rule"),
    ],
)
def test_a_line_has_its_class_in_its_own_column(
    tmp_path: Path, numbers: tuple[int, int, int]
) -> None:
    first, second, third = numbers
    path = tracks(
        tmp_path / "0002.txt",
        line(0, first, 1, [[1, 0, 0, 0]]),
        line(0, second, 1, [[0, 1, 0, 0]]),
        line(0, third, 2, [[0, 0, 1, 0]]),
        line(4, second, 1, [[0, 0, 0, 1]]),
    )
    found = read_tracks(path)
    assert found[0].labels.tolist() == [[1, 1, 2, 0]]
    ids = found[0].ids[0].tolist()
    assert sorted(ids) == [0, 1, 2, 3]
    assert found[4].ids.tolist() == [[0, 0, 0, ids[1]]]


def test_more_objects_than_a_label_map_holds_are_refused(tmp_path: Path) -> None:
    lines = [line(frame, frame, 1, [[1, 0]]) for frame in range(1 << 16)]
    with pytest.raises(DataError, match="has 65536 objects, needs 65535 at most"):
        read_tracks(tracks(tmp_path / "0002.txt", *lines))
