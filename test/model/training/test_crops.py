# SPDX-License-Identifier: Apache-2.0
"""What a training crop is cut from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.coco.reader import ImageRecord
from panoptic_ros.model.training.augment import AugmentConfig
from panoptic_ros.model.training.crops import Crops, load, open_split, sample_batches
from test.drawn.drawn_training import write_training_set

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


def test_a_truth_with_none_of_its_segments_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "image.png"), np.zeros((1, 2, 3), np.uint8))
    # As cv2 writes them if the channels are not turned round: red holds the highest byte.
    write_ids(tmp_path / "ids.png", np.array([[7 << 16, 26 << 16]], np.uint32))
    segments = (SegmentInfo(7, 7, 1, False), SegmentInfo(26, 26, 1, False))
    record = ImageRecord(1, tmp_path / "image.png", tmp_path / "ids.png", 2, 1, segments)
    with pytest.raises(DataError, match=r"ids\.png: has none of .* are 458752, .* has 7, 26; "):
        load(record, {7: 0, 26: 1}, np.array([False, True]))


def test_how_far_sampling_is_can_be_followed(tmp_path: Path) -> None:
    data = open_split(write_training_set(tmp_path / "data"), "train")
    crops = Crops(data, AugmentConfig(crop=(64, 32)), 1, 5)
    told: list[tuple[int, int]] = []
    batches = sample_batches(crops, 2, lambda done, count: told.append((done, count)))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
