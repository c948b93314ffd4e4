# SPDX-License-Identifier: Apache-2.0
"""What docs/training.md writes is what the package reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from panoptic_ros.data.coco.files import read_truth
from panoptic_ros.data.coco.reader import read_coco_panoptic

PAGE = Path(__file__).parents[1] / "docs" / "training.md"
CLASSES = np.array([[0, 1, 4, 4], [1, 1, 4, 4], [1, 1, 4, 0]], np.uint8)
OBJECTS = np.array([[7, 9, 1, 1], [0, 0, 2, 2], [0, 0, 0, 0]], np.uint8)


def test_the_script_of_the_page_writes_a_data_set(tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(script, names)
    names["write_split"](tmp_path, "train", [("y0.jpg", CLASSES, OBJECTS)])
    found = read_coco_panoptic(tmp_path / "train.json", tmp_path / "panoptic", tmp_path)
    (record,) = found.records
    assert [category.name for category in found.categories] == ["concrete", "forklift"]
    assert (record.image.name, record.width, record.height) == ("y0.jpg", 4, 3)
    assert read_truth(record).tolist() == [[0, 1, 1004, 1004], [1, 1, 2004, 2004], [1, 1, 4, 0]]
    entries = {
        entry.id: (entry.category_id, entry.area, entry.is_crowd) for entry in record.segments
    }
    assert entries == {
        1: (1, 5, False),
        4: (4, 1, True),
        1004: (4, 2, False),
        2004: (4, 2, False),
    }
