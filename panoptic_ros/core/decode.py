# SPDX-License-Identifier: Apache-2.0
"""Heads to a panoptic map, on the CPU, in about a millisecond.

Source: Panoptic-DeepLab (Cheng et al. 2020, section 3.2: a thing pixel belongs to the centre
nearest to where its offset points; the majority class of its pixels is the object's). Only blocks
that hold a thing pixel are grouped, with only the centres that were found.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.overlap import overlap
from panoptic_ros.core.types import (
    NO_ID,
    VOID,
    Box,
    CenterOffsetHeads,
    Heads,
    Panoptic,
    QueryHeads,
    Segment,
)

_GROUP_CHUNK = 1 << 21
"""Most (pixel, centre) distances held at once: 8 MB."""


def decode(heads: Heads, labels: LabelSet, config: DecodeConfig) -> Panoptic:
    """Turn what the network says into labels, ids and segments.

    Args:
        heads: Its output; not kept, the result owns its arrays.
        labels: Its classes.
        config: Thresholds.

    Returns:
        The panoptic map. Ids run from the strongest object to the weakest, ties by position, so
        that equal heads give equal ids.

    Raises:
        EngineRunError: The heads do not fit each other or the label set.
    """
    if isinstance(heads, QueryHeads):
        raise EngineRunError("query heads cannot be decoded by this version; use center_offset")
    _check(heads, labels)
    classes = _confident_labels(heads, config)
    is_thing = labels.things[classes]
    groups, scores = _group(heads, is_thing, config)
    return _assemble(classes, heads.confidence.copy(), groups, scores, labels, config)


def _check(heads: CenterOffsetHeads, labels: LabelSet) -> None:
    height, width = heads.labels.shape
    rows, columns = heads.centers.shape
    step = height // rows if rows else 0
    if (rows * step, columns * step) != (height, width) or heads.offsets.shape[1:] != (
        rows,
        columns,
    ):
        raise EngineRunError(
            f"labels are {heads.labels.shape}, centres {heads.centers.shape}, offsets "
            f"{heads.offsets.shape}: the first must be a whole multiple of the others"
        )
    highest = int(heads.labels.max())
    if highest >= len(labels) and highest != VOID:
        raise EngineRunError(
            f"the network says class {highest}, its label set {labels.name} has {len(labels)}"
        )


def _confident_labels(heads: CenterOffsetHeads, config: DecodeConfig) -> NDArray[np.uint8]:
    classes: NDArray[np.uint8] = heads.labels.copy()
    if config.min_confidence > 0.0:
        classes[heads.confidence < round(config.min_confidence * 255.0)] = VOID
    return classes


def _group(
    heads: CenterOffsetHeads, is_thing: NDArray[np.bool_], config: DecodeConfig
) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Give every thing pixel the number of its centre.

    Returns:
        Centre number 1.. per pixel, 0 elsewhere, at label size; and the centres' scores.
    """
    centers, scores = _centers(heads, config)
    if scores.size == 0:
        return np.zeros(is_thing.shape, np.uint16), scores
    rows, columns = heads.centers.shape
    step = is_thing.shape[0] // rows
    # INTER_AREA is the block mean: above 0 where a block holds any thing pixel.
    blocks = is_thing.view(np.uint8) * np.uint8(255)
    if step > 1:
        blocks = cv2.resize(blocks, (columns, rows), interpolation=cv2.INTER_AREA)
    y, x = np.nonzero(blocks)
    offsets = heads.offsets[:, y, x].astype(np.float32)
    points = np.stack((y + offsets[0], x + offsets[1]), axis=1).astype(np.float32)
    coarse = np.zeros((rows, columns), np.uint16)
    coarse[y, x] = _nearest(points, centers) + 1
    if step > 1:
        coarse = np.asarray(
            cv2.resize(coarse, is_thing.shape[::-1], interpolation=cv2.INTER_NEAREST)
        )
    return coarse * is_thing, scores


def _centers(
    heads: CenterOffsetHeads, config: DecodeConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the centres, strongest first: (K, 2) positions (y, x), and (K,) scores in 0..1."""
    least = max(1, int(np.ceil(config.center_threshold * 255.0)))
    y, x = np.nonzero(heads.centers >= least)
    values = heads.centers[y, x]
    order = np.argsort(-values.astype(np.int16), kind="stable")[: config.max_objects]
    positions = np.stack((y[order], x[order]), axis=1).astype(np.float32)
    return positions, values[order].astype(np.float32) / np.float32(255.0)


def _nearest(
    points: NDArray[np.float32], centers: NDArray[np.float32]
) -> NDArray[np.uint16]:
    """Index of the nearest centre of each point, the first of equals."""
    # |p - c|^2 without |p|^2, which is the same for all centres: one matrix product.
    half_square = 0.5 * (centers * centers).sum(axis=1)
    nearest = np.empty(len(points), np.uint16)
    chunk = max(1, _GROUP_CHUNK // len(centers))
    for start in range(0, len(points), chunk):
        product = points[start : start + chunk] @ centers.T
        nearest[start : start + chunk] = (half_square - product).argmin(axis=1)
    return nearest


def _assemble(
    classes: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    groups: NDArray[np.uint16],
    scores: NDArray[np.float32],
    labels: LabelSet,
    config: DecodeConfig,
) -> Panoptic:
    """Vote classes, drop what is too small, number what is left."""
    votes = overlap(groups, classes)
    votes = np.pad(votes, ((0, scores.size + 1 - len(votes)), (0, 256 - votes.shape[1])))
    votes[0, VOID] = 0
    _drop_small_stuff(classes, votes, labels, config)
    votes[:, ~labels.things] = 0
    areas = votes.sum(axis=1)
    areas[NO_ID] = 0
    winners = votes.argmax(axis=1).astype(np.uint8)
    scores = scores * _sureness(classes, confidence, groups, winners, areas)
    least = max(1, int(np.ceil(config.min_thing_area * classes.size)))
    kept = 1 + np.flatnonzero((areas[1:] >= least) & (scores >= config.object_threshold))
    number = np.zeros(len(votes), np.uint16)
    number[kept] = np.arange(1, kept.size + 1)
    ids = number[groups]
    claimed = ids > 0
    np.copyto(classes, winners[groups], where=claimed)
    segments = tuple(
        Segment(
            id=int(number[group]),
            label=int(winners[group]),
            score=float(scores[group - 1]),
            area=int(areas[group]),
            box=box,
        )
        for group, box in zip(kept, bounding_boxes(ids, kept.size), strict=True)
    )
    return Panoptic(classes, ids, confidence, segments)


def _sureness(
    classes: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    groups: NDArray[np.uint16],
    winners: NDArray[np.uint8],
    areas: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Mean probability of the winning class over each object's pixels, (K,) in 0..1."""
    flat = np.flatnonzero(groups)
    owner = groups.ravel()[flat]
    agrees = classes.ravel()[flat] == winners[owner]
    weights = confidence.ravel()[flat] * agrees
    sums = np.bincount(owner, weights, minlength=areas.size)[1:]
    return np.asarray(sums / (255.0 * np.maximum(areas[1:], 1)), np.float32)


def _drop_small_stuff(
    classes: NDArray[np.uint8],
    votes: NDArray[np.int64],
    labels: LabelSet,
    config: DecodeConfig,
) -> None:
    totals = votes.sum(axis=0)
    small = (totals > 0) & (totals < config.min_stuff_area * classes.size) & ~labels.things
    small[VOID] = False
    if small.any():
        table = np.arange(256, dtype=np.uint8)
        table[small] = VOID
        cv2.LUT(classes, table, dst=classes)


def bounding_boxes(ids: NDArray[np.uint16], count: int) -> list[Box]:
    """Find the box of each id.

    Args:
        ids: 0 for none, 1..count, (h, w).
        count: Largest id; every id from 1 on occurs.

    Returns:
        (x0, y0, x1, y1) half open, of ids 1..count in order.

    >>> bounding_boxes(np.array([[0, 1, 1], [2, 0, 0]], np.uint16), 2)
    [(1, 0, 3, 1), (0, 1, 1, 2)]
    """
    if count == 0:
        return []
    y, x = np.nonzero(ids)
    owner = ids[y, x].astype(np.intp) - 1
    x0, x1 = _extent(owner, x, count, ids.shape[1])
    y0, y1 = _extent(owner, y, count, ids.shape[0])
    return list(zip(x0, y0, x1, y1, strict=True))


def _extent(
    owner: NDArray[np.intp], position: NDArray[np.intp], count: int, length: int
) -> tuple[list[int], list[int]]:
    """First position of each owner, and one past the last, along one axis."""
    # A table of which owner is on which row beats ufunc.at, slow before NumPy 1.25.
    present = np.bincount(owner * length + position, minlength=count * length) > 0
    table = present.reshape(count, length)
    first, behind = table.argmax(axis=1), length - table[:, ::-1].argmax(axis=1)
    return first.tolist(), behind.tolist()
