# SPDX-License-Identifier: Apache-2.0
"""What one frame says for and against driving on each pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.types import VOID, Panoptic

_HORIZON = 0.4
_BANDS = 4
"""Margins grow toward the camera in steps, from nothing at the horizon to all at the lower edge;
the horizon of a road camera lies near this share of the height."""


@dataclass(frozen=True, eq=False)
class SurfaceRules:
    """What each label value means for driving; tables of (256,).

    Attributes:
        weight: 0..255, how much a class's probability counts for the surface, uint8.
        is_thing: 255 for things, uint8.
        is_vulnerable: 255 for persons, animals and two-wheelers, uint8.
        is_other: 255 for what is neither surface nor thing nor void, uint8.
        is_void: 255 for void, uint8.
    """

    weight: NDArray[np.uint8]
    is_thing: NDArray[np.uint8]
    is_vulnerable: NDArray[np.uint8]
    is_other: NDArray[np.uint8]
    is_void: NDArray[np.uint8]

    @classmethod
    def of(cls, labels: LabelSet, config: DrivableConfig) -> SurfaceRules:
        """Work the rules out for a label set.

        Raises:
            ConfigError: An optional class is not in the label set or has no weight.
        """
        weight = np.where(labels.drivable, 255, 0).astype(np.uint8)
        for entry in filter(None, config.optional_classes):
            name, share = _weighted(entry)
            weight[labels.index(name)] = round(255 * share)
        weight[labels.things] = 0
        other = (weight == 0) & ~labels.things
        other[VOID] = False
        is_void = np.arange(256) == VOID
        return cls(weight, *map(_flags, (labels.things, labels.vulnerable, other, is_void)))


def _flags(table: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.asarray(np.where(table, 255, 0), np.uint8)


def _weighted(entry: str) -> tuple[str, float]:
    """Read ``name=weight``.

    Raises:
        ConfigError: It is something else.

    >>> _weighted("parking lot=0.5")
    ('parking lot', 0.5)
    """
    name, _, words = entry.rpartition("=")
    try:
        share = float(words)
    except ValueError:
        share = math.nan
    if not name or not 0.0 <= share <= 1.0:
        raise ConfigError(
            f"optional_classes has {entry!r}, needs a class and a weight from 0 to 1, as in "
            "'terrain=0.7'"
        )
    return name, share


@dataclass(frozen=True, eq=False)
class SurfaceEvidence:
    """One frame's say, (h, w) uint8 each.

    Attributes:
        support: Probability times 255 that one can drive there.
        blocked: 255 where one cannot for certain: near a thing, or surely of another class.
        open: 255 where no hole may be closed over: void, things and their margins.
    """

    support: NDArray[np.uint8]
    blocked: NDArray[np.uint8]
    open: NDArray[np.uint8]


def surface_evidence(
    panoptic: Panoptic, rules: SurfaceRules, config: DrivableConfig
) -> SurfaceEvidence:
    """Weigh up a frame.

    Args:
        panoptic: The frame's map.
        rules: What its label values mean.
        config: Margins and thresholds.
    """
    labels, confidence = panoptic.labels, panoptic.confidence
    support = cv2.multiply(cv2.LUT(labels, rules.weight), confidence, scale=1 / 255)
    near = _near_things(labels, rules, config)
    # THRESH_BINARY keeps what lies above a level, not what reaches it.
    below_sure = round(config.sure_confidence * 255.0) - 1
    _, sure = cv2.threshold(confidence, below_sure, 255, cv2.THRESH_BINARY)
    cv2.bitwise_and(sure, cv2.LUT(labels, rules.is_other), dst=sure)
    blocked = cv2.bitwise_or(near, sure)
    cv2.bitwise_or(near, cv2.LUT(labels, rules.is_void), dst=near)
    # What is blocked must not smear into its neighbours' memory.
    support = cv2.subtract(support, blocked)
    return SurfaceEvidence(np.asarray(support, np.uint8), np.asarray(blocked, np.uint8), near)


def _near_things(
    labels: NDArray[np.uint8], rules: SurfaceRules, config: DrivableConfig
) -> NDArray[np.uint8]:
    """Things and what is kept clear around them."""
    things = np.asarray(cv2.LUT(labels, rules.is_thing), np.uint8)
    blocked: NDArray[np.uint8] = things.copy()
    width = labels.shape[1]
    _grow(things, config.thing_margin * width, blocked)
    if config.person_margin > config.thing_margin:
        persons = np.asarray(cv2.LUT(labels, rules.is_vulnerable), np.uint8)
        _grow(persons, config.person_margin * width, blocked)
    return blocked


def _grow(mask: NDArray[np.uint8], margin_px: float, blocked: NDArray[np.uint8]) -> None:
    """Add what lies around a mask; the margin grows toward the camera."""
    height = mask.shape[0]
    edges = np.linspace(_HORIZON * height, height, _BANDS + 1).round().astype(int).tolist()
    for band, (top, bottom) in enumerate(pairwise(edges)):
        reach = round(margin_px * (band + 1) / _BANDS)
        if reach < 1 or not mask[top:bottom].any():
            continue
        padded = cv2.copyMakeBorder(
            mask[top:bottom], reach, reach, 0, 0, cv2.BORDER_CONSTANT, value=0
        )
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        grown = np.asarray(cv2.dilate(padded, kernel), np.uint8)
        low, high = max(0, top - reach), min(height, bottom + reach)
        cut = grown[low - top + reach : high - top + reach]
        blocked[low:high] |= cut
