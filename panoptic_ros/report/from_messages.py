# SPDX-License-Identifier: Apache-2.0
"""A result put together again from the images that a node has published."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.drivable.free_space import free_space_boundary
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import NO_ID, Drivable, Frame, Panoptic, Segment, Track


def result_from_messages(
    frame: Frame,
    labels: NDArray[np.uint8],
    track_ids: NDArray[np.uint16],
    drivable: NDArray[np.uint8],
) -> Result:
    """Make a result that draws and counts like the one that was published.

    Scores, confidences and velocities are not in the images and are left at zero.

    Args:
        frame: The image.
        labels: ``~/label``, or every n-th pixel of it, (h, w).
        track_ids: ``~/instance`` likewise.
        drivable: ``~/drivable`` likewise, 0 or 255.
    """
    keys = [key for key in np.unique(track_ids).tolist() if key != NO_ID]
    table = np.zeros(max(keys, default=0) + 1, np.uint16)
    table[keys] = np.arange(1, len(keys) + 1)
    ids = table[track_ids]
    segments = tuple(_segment(number + 1, ids, labels) for number in range(len(keys)))
    tracks = tuple(
        Track(key, segment, segment.label, 0.0, frame.stamp_ns)
        for key, segment in zip(keys, segments, strict=True)
    )
    nothing = np.zeros_like(labels)
    mask = drivable > 0
    return Result(
        frame,
        Panoptic(labels, ids, nothing, segments),
        tracks,
        Drivable(mask, nothing, free_space_boundary(mask)),
    )


def _segment(number: int, ids: NDArray[np.uint16], labels: NDArray[np.uint8]) -> Segment:
    mask = ids == number
    label = int(np.bincount(labels[mask]).argmax())
    return Segment(number, label, 0.0, int(mask.sum()), mask_box(mask))
