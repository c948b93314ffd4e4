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
from panoptic_ros.core.decoding.bonnet import find_bonnet
from panoptic_ros.core.decoding.kind import DecoderKind, agreement, mean_difference
from panoptic_ros.core.decoding.label_map import (
    check_classes,
    confident_labels,
    drop_small_stuff,
)
from panoptic_ros.core.decoding.regions import Region, regions_of, strongest
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import Heads, Panoptic


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
    regions = strongest(_regions(classes, heads.confidence, labels, config), config.max_objects)
    for number, region in enumerate(regions, start=1):
        region.draw(ids, number)
    segments = tuple(
        region.segment(number, region.score) for number, region in enumerate(regions, start=1)
    )
    return Panoptic(classes, ids, heads.confidence.copy(), segments)


def _regions(
    classes: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    labels: LabelSet,
    config: DecodeConfig,
) -> Iterator[Region]:
    """Find the regions of all thing classes that are large and sure enough."""
    if config.semantic_things == "stuff":
        return
    totals = cv2.calcHist([classes], [0], None, [256], [0, 256]).ravel()
    least = max(1, int(np.ceil(config.min_thing_area * classes.size)))
    bonnet = find_bonnet(classes, np.zeros(classes.shape, np.uint16), labels.vehicles)
    for label in np.flatnonzero((totals >= least) & labels.things).tolist():
        where = classes == label
        if bonnet is not None:
            where &= ~bonnet
        for region in regions_of(label, where, confidence, least):
            if region.score >= config.object_threshold:
                yield region


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
