# SPDX-License-Identifier: Apache-2.0
"""What the three heads should say about a labelled crop.

Source: Panoptic-DeepLab (Cheng et al. 2020, section 3.1 and the reference target generator):
Gaussian centres of fixed size, offsets to the centre of mass of the visible pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import VOID
from panoptic_ros.model.training.augment import Labelled

SEMANTIC_STRIDE = 2
"""The semantic loss looks at every second pixel: finer than the head, cheaper than all."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Truth for one crop; h, w are the crop's height and width over the head stride.

    Attributes:
        semantic: Class index at stride 2, uint8, 255 void.
        semantic_weight: Weight of those pixels, float32; small objects weigh more.
        center: Centre heat-map, (1, h, w) float32 in 0..1.
        center_weight: 0 where it is not known whether an object is there, (1, h, w) float32.
        offset: (dy, dx) in pixels of the head, (2, h, w) float32.
        offset_weight: 1 on instances, (1, h, w) float32.
    """

    semantic: NDArray[np.uint8]
    semantic_weight: NDArray[np.float32]
    center: NDArray[np.float32]
    center_weight: NDArray[np.float32]
    offset: NDArray[np.float32]
    offset_weight: NDArray[np.float32]


def draw_targets(
    crop: Labelled,
    things: NDArray[np.bool_],
    stride: int,
    class_weights: NDArray[np.float32] | None = None,
    sigma_px: float = 2.0,
    small_area_px: int = 1024,
) -> Targets:
    """Draw the targets of one crop.

    Args:
        crop: The labelled crop; its sides are multiples of ``stride``.
        things: Which classes are things, shape (classes,).
        stride: Crop pixels per head pixel.
        class_weights: Weight of each class in the semantic loss, (classes,); None is 1 each.
        sigma_px: Standard deviation of a centre's Gaussian, in head pixels.
        small_area_px: Objects with fewer crop pixels than this weigh three times as much.

    Returns:
        The targets.
    """
    labels = crop.labels
    height, width = labels.shape[0] // stride, labels.shape[1] // stride
    center = np.zeros((height, width), np.float32)
    offset = np.zeros((2, height, width), np.float32)
    weight = _class_weight(labels, class_weights)
    grid_y, grid_x = np.mgrid[0:height, 0:width].astype(np.float32)
    small = crop.instances[stride // 2 :: stride, stride // 2 :: stride]
    areas = np.bincount(crop.instances.ravel())
    for number in np.flatnonzero(areas[1:]) + 1:
        rows, columns = np.nonzero(crop.instances == number)
        if areas[number] < small_area_px:
            weight[rows, columns] *= 3.0
        y = (rows.mean() + 0.5) / stride - 0.5
        x = (columns.mean() + 0.5) / stride - 0.5
        _draw_gaussian(center, float(y), float(x), sigma_px)
        inside = small == number
        offset[0][inside] = y - grid_y[inside]
        offset[1][inside] = x - grid_x[inside]
    known = _known(labels, small, things, stride)
    near = center > 0.05
    return Targets(
        semantic=np.ascontiguousarray(labels[::SEMANTIC_STRIDE, ::SEMANTIC_STRIDE]),
        semantic_weight=np.ascontiguousarray(weight[::SEMANTIC_STRIDE, ::SEMANTIC_STRIDE]),
        center=center[None],
        center_weight=(known | near).astype(np.float32)[None],
        offset=offset,
        offset_weight=(small > 0).astype(np.float32)[None],
    )


def _class_weight(
    labels: NDArray[np.uint8], class_weights: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    table = np.ones(256, np.float32)
    if class_weights is not None:
        table[: class_weights.size] = class_weights
    return table[labels]


def _draw_gaussian(heat: NDArray[np.float32], y: float, x: float, sigma: float) -> None:
    """Raise ``heat`` to a Gaussian around (y, x), in place; overlaps keep the larger value."""
    reach = int(3 * sigma + 1)
    height, width = heat.shape
    top, bottom = max(0, int(y) - reach), min(height, int(y) + reach + 2)
    left, right = max(0, int(x) - reach), min(width, int(x) + reach + 2)
    rows = np.arange(top, bottom, dtype=np.float32)[:, None]
    columns = np.arange(left, right, dtype=np.float32)[None, :]
    # The pixel nearest to the centre must read 1, or small objects never reach the threshold.
    peak_y, peak_x = np.round(y), np.round(x)
    gauss = np.exp(-((rows - peak_y) ** 2 + (columns - peak_x) ** 2) / (2 * sigma**2))
    np.maximum(heat[top:bottom, left:right], gauss, out=heat[top:bottom, left:right])


def _known(
    labels: NDArray[np.uint8],
    instances: NDArray[np.uint16],
    things: NDArray[np.bool_],
    stride: int,
) -> NDArray[np.bool_]:
    """True where the truth says which object, if any, a head pixel belongs to."""
    small = labels[stride // 2 :: stride, stride // 2 :: stride]
    is_thing = np.zeros(256, np.bool_)
    is_thing[: things.size] = things
    crowd = is_thing[small] & (instances == 0)
    return np.asarray((small != VOID) & ~crowd)
