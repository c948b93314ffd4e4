# SPDX-License-Identifier: Apache-2.0
"""The own bonnet, which networks without a word for it take for a car at the lower edge.

A vehicle in front of the camera reaches up to the horizon, and a network sees its centre; the
bonnet is wide and low, and has none.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import NO_ID

_WIDTH = 0.4
"""Share of the lower edge that it takes at least."""
_HIGHEST = 0.6
"""Share of the height below which it stays."""
_EDGE = 1 / 32
"""Share of the height that counts as the lower edge: networks get the last rows wrong."""


def find_bonnet(
    labels: NDArray[np.uint8], ids: NDArray[np.uint16], vehicles: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """Find the own bonnet in a map of one frame.

    Args:
        labels: Class index of each pixel, (h, w).
        ids: 0 where a pixel belongs to no object, (h, w).
        vehicles: Which label values are vehicles, (256,), as ``LabelSet.vehicles`` says it.

    Returns:
        (h, w): the vehicle pixels without an object in pieces that touch the lower edge, stay low
        and together take much of its width, and all that is below them; None where there is no
        such thing.
    """
    height, width = labels.shape
    least = _WIDTH * width
    edge = height - max(1, round(_EDGE * height))
    if np.count_nonzero(_unclaimed(labels[edge:], ids[edge:], vehicles).any(axis=0)) < least:
        return None
    # One row more: what is seen there reaches too high.
    top = max(0, int(_HIGHEST * height) - 1)
    unclaimed = _unclaimed(labels[top:], ids[top:], vehicles)
    count, found = cv2.connectedComponents(unclaimed.view(np.uint8), connectivity=8)
    pieces = np.asarray(found, np.int32)
    low = np.zeros(count, np.bool_)
    low[pieces[edge - top :]] = True
    low[pieces[0]] = False
    low[0] = False
    bonnet = low.take(pieces)
    if np.count_nonzero(bonnet[edge - top :].any(axis=0)) < least:
        return None
    mask = np.zeros(labels.shape, np.bool_)
    mask[top:] = np.arange(height - top)[:, None] >= _first_rows(bonnet)
    return mask


def _first_rows(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Highest row of every column that is set, the number of rows where none is, (w,)."""
    # A column becomes a row: there argmax stops at the first hit.
    turned = np.asarray(cv2.transpose(mask.view(np.uint8)), np.uint8).view(np.bool_)
    return np.where(mask.any(axis=0), turned.argmax(axis=1), len(mask))


def _unclaimed(
    labels: NDArray[np.uint8], ids: NDArray[np.uint16], vehicles: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    is_vehicle = np.asarray(cv2.LUT(labels, vehicles.view(np.uint8)), np.uint8).view(np.bool_)
    unclaimed: NDArray[np.bool_] = is_vehicle & (ids == NO_ID)
    return unclaimed
