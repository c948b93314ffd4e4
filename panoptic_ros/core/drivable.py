# SPDX-License-Identifier: Apache-2.0
"""The surface to drive on: sure pixels of drivable classes that hang together with the camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.types import Drivable, Panoptic


def find_drivable(panoptic: Panoptic, labels: LabelSet, config: DrivableConfig) -> Drivable:
    """Find the surface.

    Args:
        panoptic: One frame's map.
        labels: Says which classes are drivable and which are things.
        config: Thresholds.

    Returns:
        The pieces of drivable surface that touch the strip at the lower edge, with small holes
        closed. A thing pixel is never drivable.
    """
    surface = labels.drivable & ~labels.things
    seen = cv2.LUT(panoptic.labels, surface.view(np.uint8)).view(np.bool_)
    seen &= panoptic.confidence >= round(config.min_confidence * 255.0)
    mask = _touching_ego(seen, config.ego_width)
    if config.max_hole_area > 0.0:
        is_thing = cv2.LUT(panoptic.labels, labels.things.view(np.uint8)).view(np.bool_)
        # Nothing is enclosed above the surface's highest row.
        top = int(mask.any(axis=1).argmax())
        _close_holes(mask[top:], is_thing[top:], config.max_hole_area * mask.size)
    confidence = panoptic.confidence * mask
    return Drivable(mask, confidence, free_space_boundary(mask))


def free_space_boundary(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """First row from the bottom that is not drivable, for every column.

    Args:
        mask: (h, w) bool.

    Returns:
        (w,) int32: -1 where the whole column is free, h - 1 where not even the lowest pixel is.

    >>> free_space_boundary(np.array([[1, 0, 1], [1, 1, 0]], bool)).tolist()
    [-1, 0, 1]
    """
    height = mask.shape[0]
    blocked_from_below = np.argmin(mask[::-1], axis=0)
    boundary = np.where(mask.all(axis=0), -1, height - 1 - blocked_from_below)
    return boundary.astype(np.int32)


def _touching_ego(seen: NDArray[np.bool_], ego_width: float) -> NDArray[np.bool_]:
    """Keep the components that reach the lowest rows in front of the camera."""
    height, width = seen.shape
    top = int(seen.any(axis=1).argmax())
    count, found = cv2.connectedComponents(seen[top:].view(np.uint8), connectivity=4)
    pieces = np.asarray(found, np.int32)
    margin = min(round(width * (1.0 - ego_width) / 2.0), (width - 1) // 2)
    strip = pieces[-max(1, height // 16) :, margin : width - margin]
    kept = np.zeros(count, np.bool_)
    kept[strip] = True
    kept[0] = False
    mask = np.zeros_like(seen)
    mask[top:] = kept.take(pieces, mode="clip")
    return mask


def _close_holes(
    mask: NDArray[np.bool_], is_thing: NDArray[np.bool_], max_area_px: float
) -> None:
    """Fill, in place, small holes in which there is no thing."""
    # Areas alone are wanted: bincount has them sooner than connectedComponentsWithStats.
    count, found = cv2.connectedComponents((~mask).view(np.uint8), connectivity=8)
    pieces = np.asarray(found, np.int32)
    fill = np.bincount(pieces.ravel(), minlength=count) <= max_area_px
    fill[0] = False
    # What touches the rim of the picture is not enclosed.
    for rim in (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]):
        fill[rim] = False
    if not fill.any():
        return
    closed = fill.take(pieces, mode="clip")
    # Things are looked up in small holes only: most of a picture's things stand elsewhere.
    with_thing = pieces[closed & is_thing]
    if with_thing.size:
        fill[with_thing] = False
        closed = fill.take(pieces, mode="clip")
    mask |= closed
