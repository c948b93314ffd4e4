# SPDX-License-Identifier: Apache-2.0
"""A decoder kind that the package does not have: one brightness per pixel, bright is a car."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.kind import DecoderKind, agreement, mean_difference
from panoptic_ros.core.types import Heads, Panoptic, Segment


@dataclass(frozen=True, eq=False)
class BrightHeads(Heads):
    """Brightness, (h, w) uint8, and from where on it is a car, () uint8."""

    brightness: NDArray[np.uint8]
    least: NDArray[np.uint8]


def decode_bright(heads: BrightHeads, labels: LabelSet, config: DecodeConfig) -> Panoptic:
    bright = heads.brightness >= heads.least
    classes = np.where(bright, labels.index("car"), labels.index("road")).astype(np.uint8)
    height, width = bright.shape
    cars = (Segment(1, labels.index("car"), 1.0, int(bright.sum()), (0, 0, width, height)),)
    return Panoptic(
        classes, bright.astype(np.uint16), heads.brightness.copy(), cars if bright.any() else ()
    )


def compare_bright(
    right: BrightHeads, other: BrightHeads, right_map: Panoptic, other_map: Panoptic
) -> dict[str, float]:
    return {
        "label_agreement": agreement(right_map.labels, other_map.labels),
        "brightness_error": mean_difference(right.brightness, other.brightness),
    }


KIND = DecoderKind(BrightHeads, decode_bright, compare_bright)
