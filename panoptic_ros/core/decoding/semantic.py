# SPDX-License-Identifier: Apache-2.0
"""A map of classes to a panoptic map: each connected region of a thing class is one object.

For networks that know no objects, such as those that Nav2 and Autoware run. Objects that touch in
the image are one region and so one object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.kind import DecoderKind, agreement, mean_difference
from panoptic_ros.core.decoding.label_map import (
    check_classes,
    confident_labels,
    drop_small_stuff,
)
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import Box, Heads, Panoptic, Segment


@dataclass(frozen=True, eq=False)
class SemanticHeads(Heads):
    """What a network for semantic segmentation says after its arg-max over classes.

    Attributes:
        labels: Class index per pixel, 255 void, (h, w) uint8.
        confidence: Probability of that class times 255, (h, w) uint8; 255 where the network gives
            classes and no scores, 0 where it says void.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8]


def decode_semantic(heads: SemanticHeads, labels: LabelSet, config: DecodeConfig) -> Panoptic:
    """Make objects of connected regions; arguments as of ``decode``.

    Raises:
        EngineRunError: The heads do not fit each other or the label set.
    """
    if heads.labels.shape != heads.confidence.shape or heads.labels.ndim != 2:
        raise EngineRunError(
            f"labels are {heads.labels.shape}, confidence {heads.confidence.shape}: both must be "
            "alike, with two axes"
        )
    check_classes(heads.labels, labels)
    classes = confident_labels(heads.labels, heads.confidence, config)
    drop_small_stuff(classes, labels, config)
    ids = np.zeros(classes.shape, np.uint16)
    regions = _strongest(_regions(classes, heads.confidence, labels, config), config)
    for number, region in enumerate(regions, start=1):
        x0, y0, x1, y1 = region.box
        ids[y0:y1, x0:x1][region.mask] = number
    segments = tuple(region.segment(number) for number, region in enumerate(regions, start=1))
    return Panoptic(classes, ids, heads.confidence.copy(), segments)


@dataclass(frozen=True, eq=False)
class _Region:
    """A connected region of one thing class.

    Attributes:
        label: Class index.
        score: Mean probability of the class over its pixels, 0..1.
        area: Its pixels.
        box: Tight around them.
        mask: Which pixels of the box are its own, bool.
    """

    label: int
    score: float
    area: int
    box: Box
    mask: NDArray[np.bool_]

    def segment(self, number: int) -> Segment:
        return Segment(number, self.label, self.score, self.area, self.box)


def _strongest(regions: Iterator[_Region], config: DecodeConfig) -> list[_Region]:
    """Order regions from the strongest to the weakest, ties from the top left, and cut off."""
    order = sorted(regions, key=lambda each: (-each.score, each.box[1], each.box[0], each.label))
    return order[: config.max_objects]


def _regions(
    classes: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    labels: LabelSet,
    config: DecodeConfig,
) -> Iterator[_Region]:
    """Find the regions of all thing classes that are large and sure enough."""
    if config.semantic_things == "stuff":
        return
    totals = cv2.calcHist([classes], [0], None, [256], [0, 256]).ravel()
    least = max(1, int(np.ceil(config.min_thing_area * classes.size)))
    for label in np.flatnonzero((totals >= least) & labels.things).tolist():
        for region in _regions_of(label, classes, confidence, least):
            if region.score >= config.object_threshold:
                yield region


def _regions_of(
    label: int, classes: NDArray[np.uint8], confidence: NDArray[np.uint8], least: int
) -> Iterator[_Region]:
    """Find the regions of a class that have at least ``least`` pixels."""
    everywhere = (classes == label).view(np.uint8)
    # Only the part of the map that has the class is looked at.
    x, y, width, height = cv2.boundingRect(everywhere)
    part = (slice(y, y + height), slice(x, x + width))
    inside = everywhere[part].view(np.bool_)
    count, numbers, facts, _ = cv2.connectedComponentsWithStats(everywhere[part], connectivity=8)
    sums = np.bincount(numbers[inside], confidence[part][inside], minlength=count)
    large = np.flatnonzero(facts[1:, cv2.CC_STAT_AREA] >= least) + 1
    for number in large.tolist():
        left, top, wide, high, area = facts[number].tolist()
        mask = numbers[top : top + high, left : left + wide] == number
        box = (x + left, y + top, x + left + wide, y + top + high)
        yield _Region(label, float(sums[number] / (255.0 * area)), area, box, mask)


def compare_semantic(
    right: SemanticHeads, other: SemanticHeads, *maps: Panoptic
) -> dict[str, float]:
    """Say how far apart the heads of two runtimes are; arguments as of ``DecoderKind.compare``.

    Returns:
        ``label_agreement`` share of pixels with the same class; ``confidence_error`` mean
        difference, 0..1.
    """
    return {
        "label_agreement": agreement(right.labels, other.labels),
        "confidence_error": mean_difference(right.confidence, other.confidence) / 255.0,
    }


KIND = DecoderKind(SemanticHeads, decode_semantic, compare_semantic)
