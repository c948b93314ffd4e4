# SPDX-License-Identifier: Apache-2.0
"""A result drawn by hand: road below, sky above, two cars, one pixel block of void."""

from __future__ import annotations

import numpy as np

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import VOID, Drivable, Frame, Panoptic, Segment, Track

LABELS = LabelSet(
    "drawn",
    (
        Label(0, "road", False, True, (128, 64, 128), is_flat=True),
        Label(1, "sky", False, False, (70, 130, 180), is_flat=True),
        Label(2, "car", True, False, (0, 0, 142), "vehicle"),
        Label(3, "truck", True, False, (0, 0, 70), "vehicle"),
    ),
)
ROAD, SKY, CAR, TRUCK = range(4)
TRACK_IDS = (7, 40_000)


def drawn_result(scale: int = 4, mirrored: bool = False) -> Result:
    """Give a result of 16x24 map pixels for a camera ``scale`` times as large.

    Args:
        scale: Camera pixels per map pixel.
        mirrored: Whether the frame is a BGR view.
    """
    labels = np.full((16, 24), SKY, np.uint8)
    labels[8:] = ROAD
    labels[0, :3] = VOID
    ids = np.zeros((16, 24), np.uint16)
    boxes = ((4, 7, 9, 11), (14, 6, 20, 12))
    for number, (x0, y0, x1, y1) in enumerate(boxes, start=1):
        labels[y0:y1, x0:x1] = CAR
        ids[y0:y1, x0:x1] = number
    segments = tuple(
        Segment(number, CAR, 0.9, int((ids == number).sum()), box)
        for number, box in enumerate(boxes, start=1)
    )
    tracks = (
        Track(TRACK_IDS[0], segments[0], CAR, 0.8, 0),
        Track(TRACK_IDS[1], segments[1], TRUCK, 0.7, 0),
    )
    mask = labels == ROAD
    drivable = Drivable(mask, np.where(mask, 200, 0).astype(np.uint8), np.full(24, 7, np.int32))
    image = np.full((16 * scale, 24 * scale, 3), (100, 110, 120), np.uint8)
    if mirrored:
        image = np.ascontiguousarray(image[..., ::-1])[..., ::-1]
    confidence = np.tile(np.arange(24, dtype=np.uint8), (16, 1))
    panoptic = Panoptic(labels, ids, confidence, segments)
    frame = Frame(image, 5_000_000_006, "front")
    return Result(frame, panoptic, tracks, drivable, label_set=LABELS)
