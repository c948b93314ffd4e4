# SPDX-License-Identifier: Apache-2.0
"""A COCO panoptic folder small enough to train on in a test."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from panoptic_ros.data.coco.ids import write_ids


def write_training_set(data: Path) -> Path:
    """Write four images of a green road with a red car, one of them with a rare person."""
    for folder in ("images", "panoptic"):
        (data / folder).mkdir(parents=True)
    images, annotations = [], []
    for number in range(4):
        ids = np.full((64, 64), 7, np.uint32)
        ids[20:40, 10 + number : 40] = 26001
        image = np.where((ids == 7)[..., None], (0, 200, 0), (0, 0, 200)).astype(np.uint8)
        segments = [_segment(7, 7, ids), _segment(26001, 26, ids)]
        if number == 0:
            ids[50:60, 50:60] = 24001
            segments.append(_segment(24001, 24, ids))
        cv2.imwrite(str(data / "images" / f"{number}.jpg"), image)
        write_ids(data / "panoptic" / f"{number}.png", ids)
        name = {"id": number, "file_name": f"{number}.jpg", "width": 64, "height": 64}
        images.append({**name, "source": "b" if number == 3 else "a"})
        annotations.append(
            {"image_id": number, "file_name": f"{number}.png", "segments_info": segments}
        )
    categories = [
        {"id": 7, "name": "road", "isthing": 0},
        {"id": 24, "name": "person", "isthing": 1},
        {"id": 26, "name": "car", "isthing": 1},
    ]
    document = {"images": images, "annotations": annotations, "categories": categories}
    for split in ("train", "val"):
        (data / f"{split}.json").write_text(json.dumps(document))
    return data


def _segment(number: int, category: int, ids: np.ndarray) -> dict[str, int]:
    area = int((ids == number).sum())
    return {"id": number, "category_id": category, "area": area, "iscrowd": 0}
