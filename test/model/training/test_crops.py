# SPDX-License-Identifier: Apache-2.0
"""What a training crop is cut from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.coco.reader import ImageRecord
from panoptic_ros.model.training.crops import load

pytestmark = pytest.mark.torch


def test_a_crowd_and_a_surface_have_no_instance_number(tmp_path: Path) -> None:
    ids = np.array([[7, 7, 26001, 26002]], np.uint32)
    write_ids(tmp_path / "ids.png", ids)
    cv2.imwrite(str(tmp_path / "image.png"), np.zeros((1, 4, 3), np.uint8))
    told = ((7, 7, False), (26001, 26, True), (26002, 26, False))
    segments = tuple(SegmentInfo(key, category, 1, crowd) for key, category, crowd in told)
    record = ImageRecord(1, tmp_path / "image.png", tmp_path / "ids.png", 4, 1, segments)
    sample = load(record, {7: 0, 26: 1}, np.array([False, True]))
    assert sample.labels.tolist() == [[0, 0, 1, 1]]
    assert sample.instances.tolist() == [[0, 0, 0, 3]]
