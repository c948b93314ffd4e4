# SPDX-License-Identifier: Apache-2.0
"""Panoptic quality, to the letter of panopticapi.

Source: Kirillov et al. 2019, equation 1, and the rules of ``panopticapi/evaluation.py`` that the
paper leaves open: a truth segment's area is what its JSON says; pixels without truth leave the
union; a prediction mostly on void or on crowd of its class is no mistake, and of several crowd
segments of a class only the last one counts; classes that never occur leave the mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import VOID_ID, Category, SegmentInfo
from panoptic_ros.core.errors import DataError, listed
from panoptic_ros.metrics.intersections import Intersections, intersect


@dataclass(frozen=True)
class MeanQuality:
    """Mean over the classes that occur, 0..1; not a number where none does.

    Attributes:
        pq: Panoptic quality.
        sq: Segmentation quality.
        rq: Recognition quality.
        classes: How many classes occur.
    """

    pq: float
    sq: float
    rq: float
    classes: int


@dataclass(frozen=True)
class ClassQuality:
    """One class over all images.

    Attributes:
        iou: Sum of the IoU of its matched pairs.
        tp: True positives: pairs with an IoU above 0.5.
        fp: False positives.
        fn: False negatives.
    """

    iou: float = 0.0
    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def occurs(self) -> bool:
        """Whether the class takes part in the mean."""
        return self.tp + self.fp + self.fn > 0

    @property
    def pq(self) -> float:
        """Panoptic quality; not a number where the class does not occur."""
        return self.iou / self._size if self.occurs else math.nan

    @property
    def sq(self) -> float:
        """Segmentation quality: mean IoU of the pairs, 0 without any."""
        if not self.occurs:
            return math.nan
        return self.iou / self.tp if self.tp else 0.0

    @property
    def rq(self) -> float:
        """Recognition quality: F1 score of finding segments."""
        return self.tp / self._size if self.occurs else math.nan

    @property
    def _size(self) -> float:
        return self.tp + 0.5 * self.fp + 0.5 * self.fn


@dataclass(frozen=True)
class PanopticQualityResult:
    """What ``PanopticQuality`` found; ``classes`` is keyed by category id."""

    all: MeanQuality
    things: MeanQuality
    stuff: MeanQuality
    classes: Mapping[int, ClassQuality]


class PanopticQuality:
    """Collects matches over images. One thread at a time; merge the parts of several.

    Args:
        categories: The classes of the truth.
    """

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = tuple(categories)
        self._row = {category.id: row for row, category in enumerate(self._categories)}
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        # The last row takes truth segments of classes that nobody asked for.
        rows = len(self._categories) + 1
        self._iou = np.zeros(rows, np.float64)
        self._counts = np.zeros((rows, 3), np.int64)

    def merge(self, other: PanopticQuality) -> None:
        """Add what another one collected for the same classes."""
        self._iou += other._iou
        self._counts += other._counts

    def update(
        self,
        truth_ids: NDArray[np.uint32],
        truth_segments: Iterable[SegmentInfo],
        predicted_ids: NDArray[np.uint32],
        predicted_segments: Iterable[SegmentInfo],
    ) -> None:
        """Add one image.

        Args:
            truth_ids: Segment of each pixel, 0 for none, (H, W).
            truth_segments: Its segments; their ``area`` is believed.
            predicted_ids: Segment of each pixel, 0 for none, (H, W).
            predicted_segments: Its segments; their ``area`` is counted, not believed.

        Raises:
            DataError: Predicted map and predicted segments differ, or a class is unknown.
            ValueError: The maps differ in shape.
        """
        shared = intersect(truth_ids, predicted_ids)
        self.update_shared(shared, truth_segments, predicted_segments)

    def update_shared(
        self,
        shared: Intersections,
        truth_segments: Iterable[SegmentInfo],
        predicted_segments: Iterable[SegmentInfo],
    ) -> None:
        """Add one image whose pairs are counted already; see ``update``."""
        truth = {segment.id: segment for segment in truth_segments}
        predicted = {segment.id: segment for segment in predicted_segments}
        areas = shared.predicted_areas()
        self._check(predicted, areas)
        pixels = dict(
            zip(
                zip(shared.truth.tolist(), shared.predicted.tolist(), strict=True),
                shared.pixels.tolist(),
                strict=True,
            )
        )
        found_truth, found_predicted = self._match(truth, predicted, areas, pixels)
        crowds = self._count_missed(truth, found_truth)
        for number, segment in predicted.items():
            if number in found_predicted:
                continue
            ignored = pixels.get((VOID_ID, number), 0)
            if segment.category_id in crowds:
                ignored += pixels.get((crowds[segment.category_id], number), 0)
            if not ignored / areas[number] > 0.5:
                self._counts[self._row[segment.category_id], 1] += 1

    def _check(self, predicted: Mapping[int, SegmentInfo], areas: Mapping[int, int]) -> None:
        unlisted = sorted(set(areas) - set(predicted) - {VOID_ID})
        if unlisted:
            raise DataError(f"the map has segments that are not listed: {listed(unlisted)}")
        unseen = sorted(set(predicted) - set(areas))
        if unseen:
            raise DataError(f"listed segments have no pixel in the map: {listed(unseen)}")
        unknown = sorted({entry.category_id for entry in predicted.values()} - set(self._row))
        if unknown:
            raise DataError(
                f"segments have categories that the truth does not know: {listed(unknown)}; "
                f"it knows {listed(sorted(self._row))}"
            )

    def _match(
        self,
        truth: Mapping[int, SegmentInfo],
        predicted: Mapping[int, SegmentInfo],
        areas: Mapping[int, int],
        pixels: Mapping[tuple[int, int], int],
    ) -> tuple[set[int], set[int]]:
        """Count the pairs with an IoU above 0.5 and return the ids that are in one."""
        found_truth, found_predicted = set(), set()
        for (true_id, predicted_id), both in pixels.items():
            ours, theirs = truth.get(true_id), predicted.get(predicted_id)
            if ours is None or theirs is None or ours.is_crowd:
                continue
            if ours.category_id != theirs.category_id:
                continue
            void = pixels.get((VOID_ID, predicted_id), 0)
            union = areas[predicted_id] + ours.area - both - void
            # A JSON may understate an area so far that nothing is left of the union.
            iou = both / union if union else math.inf
            if iou > 0.5:
                row = self._row[ours.category_id]
                self._iou[row] += iou
                self._counts[row, 0] += 1
                found_truth.add(true_id)
                found_predicted.add(predicted_id)
        return found_truth, found_predicted

    def _count_missed(self, truth: Mapping[int, SegmentInfo], found: set[int]) -> dict[int, int]:
        """Count the truth that nobody found and return the last crowd segment of each class."""
        crowds = {}
        for number, segment in truth.items():
            if segment.is_crowd:
                crowds[segment.category_id] = number
            elif number not in found:
                self._counts[self._row.get(segment.category_id, -1), 2] += 1
        return crowds

    def result(self) -> PanopticQualityResult:
        """Compute the quality of all images so far."""
        classes = [
            ClassQuality(float(iou), *counts)
            for iou, counts in zip(self._iou[:-1], self._counts[:-1].tolist(), strict=True)
        ]
        things = [
            quality
            for quality, category in zip(classes, self._categories, strict=True)
            if category.is_thing
        ]
        stuff = [
            quality
            for quality, category in zip(classes, self._categories, strict=True)
            if not category.is_thing
        ]
        ids = [category.id for category in self._categories]
        return PanopticQualityResult(
            _mean(classes), _mean(things), _mean(stuff), dict(zip(ids, classes, strict=True))
        )


def _mean(classes: Iterable[ClassQuality]) -> MeanQuality:
    there = [quality for quality in classes if quality.occurs]
    if not there:
        return MeanQuality(math.nan, math.nan, math.nan, 0)
    count = len(there)
    return MeanQuality(
        sum(quality.pq for quality in there) / count,
        sum(quality.sq for quality in there) / count,
        sum(quality.rq for quality in there) / count,
        count,
    )
