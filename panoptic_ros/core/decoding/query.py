# SPDX-License-Identifier: Apache-2.0
"""Query heads to a panoptic map: look-ups and counts over small maps, well under a millisecond.

Source: the inference of MaskFormer and Mask2Former (Cheng et al. 2021 and 2022, section "panoptic
inference"): every pixel goes to the query with the largest class times mask probability; a query
that keeps too little of its own mask is dropped; stuff of one class is one region. The parts that
touch all queries at all pixels are in the model's graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.boxes import bounding_boxes
from panoptic_ros.core.decoding.kind import DecoderKind, agreement, mean_difference
from panoptic_ros.core.decoding.label_map import check_classes
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import VOID, Heads, Panoptic, Segment

_MAX_QUERIES = 255


@dataclass(frozen=True, eq=False)
class QueryHeads(Heads):
    """What a mask-classification network says after its arg-max over queries.

    Only queries above the model's own class threshold take part in the arg-max; up to 255 of them.

    Attributes:
        queries: Number 1..Q of the query that wins the pixel, 0 where none takes part, (h, w)
            uint8.
        confidence: Class probability times mask probability of the winner, times 255, (h, w)
            uint8; 0 where the pixel counts as won but lies outside of the winner's own mask.
        query_labels: Class index of each query, 255 where it does not take part, (Q,) uint8.
        query_scores: Class probability of each query, (Q,) float32.
        query_areas: Pixels of each query's own mask, whoever wins them, (Q,) int32.
    """

    queries: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    query_labels: NDArray[np.uint8]
    query_scores: NDArray[np.float32]
    query_areas: NDArray[np.int32]


def decode_queries(heads: QueryHeads, labels: LabelSet, config: DecodeConfig) -> Panoptic:
    """Keep the queries that hold enough of their masks; arguments as of ``decode``.

    Raises:
        EngineRunError: The heads do not fit each other or the label set.
    """
    _check(heads, labels)
    label_of = _labels_of_winners(heads, config)
    won = _inside(heads, config)
    areas = _count(won)
    _drop_small_stuff(label_of, areas, labels, config, won.size)
    objects = _objects(heads, label_of, areas, labels, config, won.size)
    number_of = np.zeros(256, np.uint16)
    number_of[objects] = np.arange(1, objects.size + 1)
    ids = np.asarray(cv2.LUT(won, number_of), np.uint16)
    # Multiplied, as that is faster than a choice.
    known = (label_of != VOID).astype(np.uint8)
    confidence = np.asarray(heads.confidence * cv2.LUT(won, known), np.uint8)
    segments = _segments(heads, objects, label_of, areas, ids)
    return Panoptic(np.asarray(cv2.LUT(won, label_of), np.uint8), ids, confidence, segments)


def _check(heads: QueryHeads, labels: LabelSet) -> None:
    count = heads.query_labels.size
    shapes = {heads.query_labels.shape, heads.query_scores.shape, heads.query_areas.shape}
    if heads.queries.shape != heads.confidence.shape or len(shapes) > 1 or count > _MAX_QUERIES:
        raise EngineRunError(
            f"queries are {heads.queries.shape}, confidence {heads.confidence.shape}, labels, "
            f"scores and areas of queries {sorted(shapes)}: each two must be alike, with up to "
            f"{_MAX_QUERIES} queries"
        )
    highest = int(heads.queries.max(initial=0))
    if highest > count:
        raise EngineRunError(f"query {highest} wins a pixel, but the model has {count} queries")
    check_classes(heads.query_labels, labels)


def _labels_of_winners(heads: QueryHeads, config: DecodeConfig) -> NDArray[np.uint8]:
    """Class of each value of ``queries``, (256,); void for those that keep too little."""
    count = heads.query_labels.size
    claimed = _count(heads.queries)[1 : count + 1].astype(np.float32)
    areas = heads.query_areas.astype(np.float32)
    share = np.zeros(count, np.float32)
    np.divide(claimed, areas, out=share, where=areas > 0)
    # A float32 share against a float64 threshold, as in transformers: the one way to agree with
    # it on shares that are the threshold itself.
    kept = share.astype(np.float64) > config.overlap_threshold
    table = np.full(256, VOID, np.uint8)
    table[1 : count + 1] = np.where(kept, heads.query_labels, VOID)
    return table


def _inside(heads: QueryHeads, config: DecodeConfig) -> NDArray[np.uint8]:
    """Winner of each pixel, 0 where it is outside of the winner's mask or not sure enough."""
    least = max(1, round(config.min_confidence * 255.0))
    sure = np.where(np.arange(256) >= least, np.uint8(255), np.uint8(0))
    return heads.queries & np.asarray(cv2.LUT(heads.confidence, sure), np.uint8)


def _count(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each of 0..255 occurs, (256,)."""
    # OpenCV counts in float32, which is exact up to 2^24 pixels.
    counts = cv2.calcHist([values], [0], None, [256], [0, 256])
    return np.asarray(counts.ravel(), np.int64)


def _drop_small_stuff(
    label_of: NDArray[np.uint8],
    areas: NDArray[np.int64],
    labels: LabelSet,
    config: DecodeConfig,
    pixels: int,
) -> None:
    """Make void of stuff classes that cover too little, in place."""
    totals = np.bincount(label_of, areas, minlength=256)
    small = (totals < config.min_stuff_area * pixels) & ~labels.things
    label_of[small[label_of]] = VOID


def _objects(
    heads: QueryHeads,
    label_of: NDArray[np.uint8],
    areas: NDArray[np.int64],
    labels: LabelSet,
    config: DecodeConfig,
    pixels: int,
) -> NDArray[np.intp]:
    """Values of ``queries`` that are objects, the strongest first."""
    scores = np.zeros(256, np.float32)
    scores[1 : heads.query_scores.size + 1] = heads.query_scores
    least = max(1, int(np.ceil(config.min_thing_area * pixels)))
    good = labels.things[label_of] & (areas >= least) & (scores >= config.object_threshold)
    found = np.flatnonzero(good)
    order = np.argsort(-scores[found], kind="stable")
    return found[order][: config.max_objects]


def _segments(
    heads: QueryHeads,
    objects: NDArray[np.intp],
    label_of: NDArray[np.uint8],
    areas: NDArray[np.int64],
    ids: NDArray[np.uint16],
) -> tuple[Segment, ...]:
    boxes = bounding_boxes(ids, objects.size)
    return tuple(
        Segment(
            id=index,
            label=int(label_of[query]),
            score=float(heads.query_scores[query - 1]),
            area=int(areas[query]),
            box=box,
        )
        for index, (query, box) in enumerate(zip(objects, boxes, strict=True), start=1)
    )


def compare_queries(
    right: QueryHeads, other: QueryHeads, right_map: Panoptic, other_map: Panoptic
) -> dict[str, float]:
    """Say how far apart the heads of two runtimes are; arguments as of ``DecoderKind.compare``.

    Returns:
        ``label_agreement`` share of pixels that decode to the same class; ``confidence_error`` and
        ``score_error``, of the queries' scores, mean differences of 0..1.
    """
    # Which number a query has may differ where scores tie, so classes are compared.
    scores = np.sort(right.query_scores), np.sort(other.query_scores)
    return {
        "label_agreement": agreement(right_map.labels, other_map.labels),
        "confidence_error": mean_difference(right.confidence, other.confidence) / 255.0,
        "score_error": mean_difference(*scores),
    }


KIND = DecoderKind(QueryHeads, decode_queries, compare_queries)
