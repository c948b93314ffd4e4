# SPDX-License-Identifier: Apache-2.0
"""A result that says "nothing is known", for a camera that has fallen silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from panoptic_ros.core.result import Result
from panoptic_ros.core.types import NO_ID, VOID, Panoptic


def void_like(last: Result, stamp_ns: int) -> Result:
    """Make the result that takes a camera's last one back.

    Args:
        last: The last one; gives the sizes and the frame id.
        stamp_ns: The time at which nothing is known any more.

    Returns:
        Void everywhere, no objects, no surface to drive on, under a black image.

    >>> from panoptic_ros.core.pipeline import Pipeline
    >>> from panoptic_ros.core.synthetic.street import DrawnStreet
    >>> from panoptic_ros.core.synthetic.engine import DrawnEngine
    >>> last = Pipeline(DrawnEngine((128, 64))).step(DrawnStreet((128, 64)).draw(0)[0])
    >>> void = void_like(last, 7)
    >>> int(void.panoptic.labels.min()), bool(void.drivable.mask.any()), void.camera_size
    (255, False, (64, 128))
    """
    shape = last.panoptic.labels.shape
    foot = last.drivable.foot if last.drivable.foot.size else np.full(shape[1], shape[0], np.int32)
    nothing = np.zeros(shape, np.uint8)
    panoptic = Panoptic(
        labels=np.full(shape, VOID, np.uint8),
        ids=np.full(shape, NO_ID, np.uint16),
        confidence=nothing,
        segments=(),
    )
    drivable = replace(
        last.drivable,
        mask=np.zeros(shape, np.bool_),
        confidence=nothing,
        # Not even the lowest pixel of a column is free.
        boundary=foot - 1,
        ends=np.full(shape[1], VOID, np.uint8),
    )
    black = np.zeros((*last.camera_size, 3), np.uint8)
    frame = replace(last.frame, image=black, stamp_ns=stamp_ns)
    return replace(
        last, frame=frame, panoptic=panoptic, tracks=(), drivable=drivable, stages_ms={}
    )
