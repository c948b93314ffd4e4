# SPDX-License-Identifier: Apache-2.0
"""Centre/offset heads to a panoptic map, on the CPU, in about a millisecond.

Source: Panoptic-DeepLab (Cheng et al. 2020, section 3.2: a thing pixel belongs to the centre
nearest to where its offset points; the majority class of its pixels is the object's). Only blocks
that hold a thing pixel are grouped, with only the centres that were found. Ours is that maxima
on one plateau are one centre, and that a sure region of things without a centre becomes one
object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.class_votes import Votes, shares
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.bonnet import find_bonnet
from panoptic_ros.core.decoding.kind import DecoderKind, agreement, mean_difference
from panoptic_ros.core.decoding.label_map import (
    check_classes,
    confident_labels,
    drop_small_stuff,
)
from panoptic_ros.core.decoding.object_runs import ObjectRuns
from panoptic_ros.core.decoding.peaks import find_peaks
from panoptic_ros.core.decoding.regions import regions_apart, strongest
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.types import NO_ID, Heads, Panoptic, Segment

_GROUP_CHUNK = 1 << 21
"""Most (pixel, centre) distances held at once: 8 MB."""


@dataclass(frozen=True, eq=False)
class CenterOffsetHeads(Heads):
    """What a centre/offset network says; the views are valid until the next ``infer``.

    Attributes:
        labels: Class index per pixel, (h, w) uint8.
        confidence: Probability of that class times 255, (h, w) uint8.
        centers: Centre score times 255 where it is a local maximum, else 0, (h / s, w / s) uint8
            with a whole number s. Equal ones up to 2 pixels apart are one centre.
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
    is_thing = np.asarray(cv2.LUT(classes, labels.things.view(np.uint8)), np.uint8)
    owner, scores = _group(heads, is_thing, config)
    found = _assemble(classes, heads.confidence.copy(), is_thing, owner, scores, config)
    return _with_regions(found, is_thing, labels, config)


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
    heads: CenterOffsetHeads, is_thing: NDArray[np.uint8], config: DecodeConfig
) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Give every block that holds a thing pixel the number of its centre.

    Args:
        heads: What the network says.
        is_thing: 1 for things, 0 elsewhere, (h, w).
        config: Thresholds.

    Returns:
        Centre number 1.. of each block, 0 where no centre is near its target, (h / s, w / s); and
        the centres' scores.
    """
    centers, scores = find_peaks(heads.centers, config)
    rows, columns = heads.centers.shape
    number = np.zeros(rows * columns, np.uint16)
    if scores.size == 0:
        return number.reshape(rows, columns), scores
    blocks = np.flatnonzero(_holds_any(is_thing, is_thing.shape[0] // rows))
    offsets = heads.offsets.reshape(2, -1).take(blocks, axis=1).astype(np.float32)
    y = blocks // columns
    points = np.stack((y + offsets[0], blocks - y * columns + offsets[1]), axis=1)
    nearest, square = _nearest(points.astype(np.float32), centers)
    reach = config.center_reach * columns + 0.5 * np.hypot(offsets[0], offsets[1])
    number[blocks] = np.where(square <= reach * reach, nearest + 1, 0)
    return number.reshape(rows, columns), scores


def _holds_any(mask: NDArray[np.uint8], step: int) -> NDArray[np.bool_]:
    """Whether any pixel of each block of ``step`` by ``step`` is set, (h / step, w / step)."""
    height, width = mask.shape
    rows = np.bitwise_or.reduce(mask.reshape(height // step, step, width), axis=1)
    found = rows[:, ::step].copy()
    for column in range(1, step):
        found |= rows[:, column::step]
    return np.asarray(found, np.uint8).view(np.bool_)


def _nearest(
    points: NDArray[np.float32], centers: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Index of the nearest centre of each point, the first of equals, and the squared distance."""
    # |p - c|^2 without |p|^2, which is the same for all centres: one matrix product.
    half_square = 0.5 * (centers * centers).sum(axis=1)
    nearest = np.empty(len(points), np.intp)
    square = points[:, 0] * points[:, 0] + points[:, 1] * points[:, 1]
    chunk = max(1, _GROUP_CHUNK // len(centers))
    for start in range(0, len(points), chunk):
        product = points[start : start + chunk] @ centers.T
        half = half_square - product
        best = half.argmin(axis=1)
        nearest[start : start + chunk] = best
        places = np.arange(len(half)) * len(centers) + best
        square[start : start + chunk] += 2.0 * half.ravel().take(places)
    return nearest, square


def _assemble(
    classes: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    is_thing: NDArray[np.uint8],
    owner: NDArray[np.uint16],
    scores: NDArray[np.float32],
    config: DecodeConfig,
) -> Panoptic:
    """Vote classes, drop what is small or weak, number what is left."""
    ids = np.zeros(classes.shape, np.uint16)
    # Only the part of the map that has objects is looked at.
    blocks, part = _part_with_objects(owner, classes.shape[0] // owner.shape[0])
    owner, is_thing, inside = owner[blocks], is_thing[part], classes[part]
    found = ObjectRuns.of(enlarge(owner, inside.shape) * is_thing, inside)
    counts = found.counts(scores.size)
    areas, winners = counts.sum(axis=1), counts.argmax(axis=1).astype(np.uint8)
    weighted = found.sums(confidence[part], scores.size)
    # Mean probability of the winning class over each object's pixels.
    sums = weighted[np.arange(len(winners)), winners][1:]
    scores = scores * np.asarray(sums / (255.0 * np.maximum(areas[1:], 1)), np.float32)
    least = max(1, int(np.ceil(config.min_thing_area * classes.size)))
    kept = 1 + np.flatnonzero((areas[1:] >= least) & (scores >= config.object_threshold))
    number = np.zeros(len(counts), np.uint16)
    number[kept] = np.arange(1, kept.size + 1)
    # Small maps are looked up and enlarged, as every block has one owner.
    ids[part] = enlarge(number.take(owner), inside.shape) * is_thing
    won = enlarge(winners.take(owner), inside.shape)
    np.copyto(inside, won, where=ids[part] > 0)
    boxes = found.boxes(number, kept.size, (part[1].start, part[0].start))
    divided = _divided(weighted[kept])
    facts = zip(kept.tolist(), boxes, divided, strict=True)
    segments = tuple(
        Segment(
            index, int(winners[group]), float(scores[group - 1]), int(areas[group]), box, votes
        )
        for index, (group, box, votes) in enumerate(facts, start=1)
    )
    return Panoptic(classes, ids, confidence, segments)


def _with_regions(
    panoptic: Panoptic, is_thing: NDArray[np.uint8], labels: LabelSet, config: DecodeConfig
) -> Panoptic:
    """Make objects of the sure regions of things that no centre claims; ids are set in place.

    Their scores are half of their mean probability, as nobody saw a centre. Neither the own
    bonnet is one nor what touches an object of its class, which may be a part of that.
    """
    classes, ids = panoptic.labels, panoptic.ids
    least = max(1, int(np.ceil(config.min_thing_area * classes.size)))
    surest = max(config.region_confidence, 2.0 * config.object_threshold)
    unclaimed = is_thing.view(np.bool_) & (ids == NO_ID)
    if config.region_confidence >= 1.0 or np.count_nonzero(unclaimed) < least:
        return panoptic
    if (bonnet := find_bonnet(classes, ids, labels.vehicles)) is not None:
        unclaimed &= ~bonnet
    found = regions_apart(classes, unclaimed, panoptic.confidence, least, surest)
    segments = list(panoptic.segments)
    for region in strongest(found, config.max_objects - len(segments)):
        number = len(segments) + 1
        region.draw(ids, number)
        segments.append(region.segment(number, 0.5 * region.score))
    return replace(panoptic, segments=tuple(segments))


def _divided(weighted: NDArray[np.float64]) -> list[Votes]:
    """Shares of the classes that objects are divided on; empty for those of one class.

    Args:
        weighted: Sum of each class's confidence over each object's pixels, (K, 256).
    """
    found: list[Votes] = [()] * len(weighted)
    rows, labels = np.nonzero(weighted)
    for row in np.flatnonzero(np.bincount(rows, minlength=len(weighted)) > 1).tolist():
        own = labels[rows == row]
        found[row] = shares(dict(zip(own.tolist(), weighted[row, own].tolist(), strict=True)))
    return found


def _part_with_objects(
    owner: NDArray[np.uint16], step: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Bound what has an owner: in blocks, and in pixels of the map; one block where nothing has.

    Args:
        owner: Of each block, (h / s, w / s).
        step: Pixels of a block along either axis, s.
    """
    x, y, width, height = cv2.boundingRect((owner > 0).view(np.uint8))
    right, bottom = x + max(1, width), y + max(1, height)
    return (
        (slice(y, bottom), slice(x, right)),
        (slice(y * step, bottom * step), slice(x * step, right * step)),
    )


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
