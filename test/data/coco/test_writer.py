# SPDX-License-Identifier: Apache-2.0
"""Which numbers images get in a COCO panoptic folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from panoptic_ros.data.coco.writer import CocoWriter, Numbering


def test_images_that_the_truth_lacks_get_ids_behind_all_known_ones(tmp_path: Path) -> None:
    known = {"a": ((77, "a.jpg"),), "b": ((5, "b.jpg"),)}
    writer = CocoWriter(tmp_path, Numbering((), {0: 0}, known), np.zeros(256, np.bool_))
    road, nobody = np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint16)
    for name in ("new.png", "b.png", "newer.png"):
        writer.add(name, road, nobody, {}, road)
    writer.close()
    images = json.loads((tmp_path / "predictions.json").read_text())["images"]
    numbers = {entry["file_name"]: entry["id"] for entry in images}
    assert numbers["b.png"] == 5
    assert 77 < numbers["new.png"] < numbers["newer.png"]
