# SPDX-License-Identifier: Apache-2.0
"""Centre/offset heads to a panoptic map, on the CPU, in about a millisecond.

Source: Panoptic-DeepLab (Cheng et al. 2020, section 3.2: a thing pixel belongs to the centre
nearest to where its offset points; the majority class of its pixels is the object's). Only blocks
that hold a thing pixel are grouped, with only the centres that were found.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.boxes import boxes_of_pixels
from panoptic_ros.core.decoding.kind import DecoderKind, agreement, mean_difference
from panoptic_ros.core.decoding.label_map import (
    check_classes,
    confident_labels,
    drop_small_stuff,
)
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import Heads, Panoptic, Segment

_GROUP_CHUNK = 1 << 21
"""Most (pixel, centre) distances held at once: 8 MB."""


@dataclass(frozen=True, eq=False)
class CenterOffsetHeads(Heads):
    """What a centre/offset network says; the views are valid until the next ``infer``.

    Attributes:
        labels: Class index per pixel, (h, w) uint8.
        confidence: Probability of that class times 255, (h, w) uint8.
        centers: Centre score times 255 where it is a local maximum, else 0, (h / s, w / s) uint8
            with a whole number s.
        offsets: (dy, dx) from a pixel of ``centers`` to its object's centre, in pixels of
            ``centers``, (2, h / s, w / s), float16 or float32.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    centers: NDArray[np.uint8]
    offsets: NDArray[np.floating]  # type: ignore[type-arg]


def decode_centers(heads: CenterOffsetHeads, labels: LabelSet, config: DecodeConfig) -> Panoptic:
    """Group thing pixels by the centre they point at; arguments as of ``decode``.

    Raises:
        EngineRunError: The heads do not fit each other or the label set.
    """
    _check(heads, labels)
    classes = confident_labels(heads.labels, heads.confidence, config)
    drop_small_stuff(classes, labels, config)
    pixels = _ThingPixels.find(classes, labels)
    owner, scores = _group(heads, pixels, config)
    return _assemble(classes, heads.confidence.copy(), pixels, owner, scores, config)


@dataclass(frozen=True, eq=False)
class _ThingPixels:
    """Where the thing pixels are: all that follows costs by their number, not by the image's.

    Attributes:
        flat: Index into the raveled map, ascending, (N,).
        y: Row, (N,).
        x: Column, (N,).
        labels: Class index, (N,) uint8.
    """

    flat: NDArray[np.intp]
    y: NDArray[np.intp]
    x: NDArray[np.intp]
    labels: NDArray[np.uint8]

    @classmethod
    def find(cls, classes: NDArray[np.uint8], labels: LabelSet) -> _ThingPixels:
        is_thing = cv2.LUT(classes, labels.things.view(np.uint8))
        flat = np.flatnonzero(is_thing.view(np.bool_))
        y = flat // classes.shape[1]
        return cls(flat, y, flat - y * classes.shape[1], classes.ravel()[flat])


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
    check_classes(heads.labels, labels)


def _group(
    heads: CenterOffsetHeads, pixels: _ThingPixels, config: DecodeConfig
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Give every thing pixel the number of its centre.

    Returns:
        Centre number 1.. of each thing pixel, 0 where no centre is near its target; and the
        centres' scores.
    """
    centers, scores = _centers(heads, config)
    if scores.size == 0:
        return np.zeros(pixels.flat.size, np.intp), scores
    rows, columns = heads.centers.shape
    step = heads.labels.shape[0] // rows
    cell = (pixels.y // step) * columns + pixels.x // step
    occupied = np.zeros(rows * columns, np.bool_)
    occupied[cell] = True
    blocks = np.flatnonzero(occupied)
    offsets = heads.offsets.reshape(2, -1)[:, blocks].astype(np.float32)
    y = blocks // columns
    points = np.stack((y + offsets[0], blocks - y * columns + offsets[1]), axis=1)
    nearest, square = _nearest(points.astype(np.float32), centers)
    reach = config.center_reach * columns + 0.5 * np.hypot(offsets[0], offsets[1])
    number = np.zeros(rows * columns, np.intp)
    number[blocks] = np.where(square <= reach * reach, nearest + 1, 0)
    return number[cell], scores


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
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Index of the nearest centre of each point, the first of equals, and the squared distance."""
    # |p - c|^2 without |p|^2, which is the same for all centres: one matrix product.
    half_square = 0.5 * (centers * centers).sum(axis=1)
    nearest = np.empty(len(points), np.intp)
    square = (points * points).sum(axis=1)
    chunk = max(1, _GROUP_CHUNK // len(centers))
    for start in range(0, len(points), chunk):
        product = points[start : start + chunk] @ centers.T
        half = half_square - product
        best = half.argmin(axis=1)
        nearest[start : start + chunk] = best
        square[start : start + chunk] += 2.0 * np.take_along_axis(half, best[:, None], 1)[:, 0]
    return nearest, square


def _assemble(
    classes: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    pixels: _ThingPixels,
    owner: NDArray[np.intp],
    scores: NDArray[np.float32],
    config: DecodeConfig,
) -> Panoptic:
    """Vote classes, drop what is small or weak, number what is left."""
    votes = np.bincount(owner * 256 + pixels.labels, minlength=(scores.size + 1) * 256)
    votes = votes.reshape(-1, 256)[: scores.size + 1]
    areas, winners = votes.sum(axis=1), votes.argmax(axis=1).astype(np.uint8)
    scores = scores * _sureness(confidence, pixels, owner, winners, areas)
    least = max(1, int(np.ceil(config.min_thing_area * classes.size)))
    kept = 1 + np.flatnonzero((areas[1:] >= least) & (scores >= config.object_threshold))
    number = np.zeros(len(votes), np.uint16)
    number[kept] = np.arange(1, kept.size + 1)
    ids = np.zeros(classes.shape, np.uint16)
    ids.ravel()[pixels.flat] = number[owner]
    classes.ravel()[pixels.flat] = np.where(number[owner] > 0, winners[owner], pixels.labels)
    boxes = boxes_of_pixels(number[owner], pixels.y, pixels.x, classes.shape, kept.size)
    segments = tuple(
        Segment(
            id=index,
            label=int(winners[group]),
            score=float(scores[group - 1]),
            area=int(areas[group]),
            box=box,
        )
        for index, (group, box) in enumerate(zip(kept, boxes, strict=True), start=1)
    )
    return Panoptic(classes, ids, confidence, segments)


def _sureness(
    confidence: NDArray[np.uint8],
    pixels: _ThingPixels,
    owner: NDArray[np.intp],
    winners: NDArray[np.uint8],
    areas: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Mean probability of the winning class over each object's pixels, (K,) in 0..1."""
    weights = confidence.ravel()[pixels.flat] * (pixels.labels == winners[owner])
    sums = np.bincount(owner, weights, minlength=areas.size)[1:]
    return np.asarray(sums / (255.0 * np.maximum(areas[1:], 1)), np.float32)


def compare_centers(
    right: CenterOffsetHeads, other: CenterOffsetHeads, *maps: Panoptic
) -> dict[str, float]:
    """Say how far apart the heads of two runtimes are; arguments as of ``DecoderKind.compare``.

    Returns:
        ``label_agreement`` share of pixels with the same class; ``confidence_error`` and
        ``center_error`` mean differences of 0..1; ``offset_error`` in pixels of ``centers``.
    """
    return {
        "label_agreement": agreement(right.labels, other.labels),
        "confidence_error": mean_difference(right.confidence, other.confidence) / 255.0,
        "center_error": mean_difference(right.centers, other.centers) / 255.0,
        "offset_error": mean_difference(right.offsets, other.offsets),
    }


KIND = DecoderKind(CenterOffsetHeads, decode_centers, compare_centers)
