# SPDX-License-Identifier: Apache-2.0
"""Maps whose ids were written with red and blue in each other's place are told from others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.coco.files import read_truth
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.coco.reader import ImageRecord

SEGMENTS = (SegmentInfo(7, 7, 1, False), SegmentInfo(26_001, 26, 1, False))


def read(folder: Path, ids: list[int]) -> list[int]:
    write_ids(folder / "ids.png", np.array([ids], np.uint32))
    record = ImageRecord(1, folder / "image.png", folder / "ids.png", len(ids), 1, SEGMENTS)
    found: list[int] = read_truth(record)[0].tolist()
    return found


def turned(number: int) -> int:
    return (number & 255) << 16 | number & 0xFF00 | number >> 16


def test_a_map_with_its_channels_the_other_way_round_is_refused_with_the_formula(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match=r"its ids are .*; a pixel's id is R \+ 256 G \+ 65536 B"):
        read(tmp_path, [turned(7), turned(26_001)])


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param([7, 26_001], id="as listed"),
        pytest.param([7, turned(26_001)], id="one as listed"),
        pytest.param([0, 0], id="void alone"),
        pytest.param([5, 9], id="others alone"),
        pytest.param([turned(7)] * 32 + [0, 7] + [0] * 14, id="one as listed, of a single pixel"),
    ],
)
def test_every_other_map_is_read_as_it_is(tmp_path: Path, ids: list[int]) -> None:
    assert read(tmp_path, ids) == ids
