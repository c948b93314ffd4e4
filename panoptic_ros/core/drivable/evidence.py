# SPDX-License-Identifier: Apache-2.0
"""What one frame says for and against driving on each pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.types import VOID, Panoptic

_OPTIONAL = "drivable.optional_classes"

_HORIZON = 0.4
_BANDS = 4
"""Margins grow toward the camera in steps, from nothing at the horizon to all at the lower edge;
the horizon of a road camera lies near this share of the height."""

THING, VULNERABLE, OTHER, UNKNOWN = 1, 2, 4, 8
"""What ``SurfaceRules.flags`` is made of."""


@dataclass(frozen=True, eq=False)
class SurfaceRules:
    """What each label value means for driving; tables of (256,).

    Attributes:
        weight: 0..255, how much a class's probability counts for the surface, uint8.
        flags: Sum of ``THING``, ``VULNERABLE`` (persons, animals, two-wheelers), ``OTHER`` (what
            is neither surface nor thing nor void) and ``UNKNOWN`` (void), uint8.
    """

    weight: NDArray[np.uint8]
    flags: NDArray[np.uint8]

    @classmethod
    def of(cls, labels: LabelSet, config: DrivableConfig) -> SurfaceRules:
        """Work the rules out for a label set.

        Raises:
            ConfigError: An optional class is not in the label set, is a thing or has no weight.
        """
        weight = np.where(labels.drivable, 255, 0).astype(np.uint8)
        for entry in filter(None, config.optional_classes):
            index, share = _weighted(entry, labels)
            weight[index] = round(255 * share)
        weight[labels.things] = 0
        other = (weight == 0) & ~labels.things
        other[VOID] = False
        flags = THING * labels.things + VULNERABLE * labels.vulnerable + OTHER * other
        flags[VOID] = UNKNOWN
        return cls(weight, flags.astype(np.uint8))


def _weighted(entry: str, labels: LabelSet) -> tuple[int, float]:
    """Read ``name=weight`` as the class's index and its weight, 0 to 1.

    Raises:
        ConfigError: It is something else, or the class is not in the label set or a thing.
    """
    name, _, words = entry.rpartition("=")
    try:
        share = float(words)
    except ValueError:
        share = math.nan
    if not name or not 0.0 <= share <= 1.0:
        raise ConfigError(
            f"{_OPTIONAL} has {entry!r}, needs a class and a weight from 0 to 1, as in "
            "'terrain=0.7'"
        )
    try:
        index = labels.index(name)
    except ConfigError as error:
        raise ConfigError(f"{_OPTIONAL} has {entry!r}: {error}") from error
    if labels.things[index]:
        raise ConfigError(
            f"{_OPTIONAL} has {entry!r}: {name} is a thing of label set {labels.name}, and things "
            "are never drivable; name a class of stuff"
        )
    return index, share


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
    # One look-up for all flags: it takes longer than what is done with them.
    flags = np.asarray(cv2.LUT(labels, rules.flags), np.uint8)
    near = _near_things(flags, config)
    # THRESH_BINARY keeps what lies above a level, not what reaches it.
    below_sure = round(config.sure_confidence * 255.0) - 1
    _, sure = cv2.threshold(confidence, below_sure, OTHER, cv2.THRESH_BINARY)
    blocked = _set(near | flags & np.asarray(sure, np.uint8))
    # What is blocked must not smear into its neighbours' memory.
    support = cv2.subtract(support, blocked)
    return SurfaceEvidence(
        np.asarray(support, np.uint8), blocked, _set(near | flags & np.uint8(UNKNOWN))
    )


def _set(flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 where any flag is set, else 0."""
    return np.asarray(cv2.threshold(flags, 0, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _near_things(flags: NDArray[np.uint8], config: DrivableConfig) -> NDArray[np.uint8]:
    """Things and what is kept clear around them: any flag is set there."""
    things = flags & np.uint8(THING)
    blocked: NDArray[np.uint8] = things.copy()
    width = flags.shape[1]
    _grow(things, config.thing_margin * width, blocked)
    if config.person_margin > config.thing_margin:
        _grow(flags & np.uint8(VULNERABLE), config.person_margin * width, blocked)
    return blocked


def _grow(mask: NDArray[np.uint8], margin_px: float, blocked: NDArray[np.uint8]) -> None:
    """Add what lies around a mask; the margin grows toward the camera."""
    height = mask.shape[0]
    for top, bottom, reach in _bands(height, margin_px):
        # Only the part that holds something grows.
        x, y, wide, high = cv2.boundingRect(mask[top:bottom])
        if wide == 0:
            continue
        part = mask[top + y : top + y + high, x : x + wide]
        padded = cv2.copyMakeBorder(part, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        grown = np.asarray(cv2.dilate(padded, kernel), np.uint8)
        first, left = top + y - reach, x - reach
        rows = slice(max(0, first), min(height, first + len(grown)))
        columns = slice(max(0, left), min(mask.shape[1], left + grown.shape[1]))
        blocked[rows, columns] |= grown[
            rows.start - first : rows.stop - first, columns.start - left : columns.stop - left
        ]


@lru_cache(maxsize=32)
def _bands(height: int, margin_px: float) -> tuple[tuple[int, int, int], ...]:
    """Rows from the horizon down in bands, (top, bottom, reach of the margin in pixels) each."""
    edges = np.linspace(_HORIZON * height, height, _BANDS + 1).round().astype(int).tolist()
    reaches = [round(margin_px * (band + 1) / _BANDS) for band in range(_BANDS)]
    bands = [
        (edges[first], edges[last + 1], reach)
        for reach in sorted(set(reaches))
        for first, last in [(reaches.index(reach), _BANDS - 1 - reaches[::-1].index(reach))]
    ]
    return tuple(band for band in bands if band[2] > 0)
