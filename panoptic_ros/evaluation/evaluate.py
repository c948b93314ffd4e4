# SPDX-License-Identifier: Apache-2.0
"""The chosen scores of a data set: images compared by a few threads, added up in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.drivable.filter import find_drivable
from panoptic_ros.core.errors import DataError, counted, listed
from panoptic_ros.core.types import Drivable, Panoptic
from panoptic_ros.data.annotation import Annotation
from panoptic_ros.data.images import exif_hint
from panoptic_ros.data.known_classes import label_set
from panoptic_ros.data.label_files import Pair
from panoptic_ros.evaluation.image_score import ImageScore, ImageScoreResult
from panoptic_ros.evaluation.in_order import in_order
from panoptic_ros.evaluation.pixel_score import PIXEL_METRICS, PixelScore, PixelScoreResult
from panoptic_ros.evaluation.prediction import EvalTask, Prediction
from panoptic_ros.evaluation.selection import TIME_METRICS, check_needs, check_surface
from panoptic_ros.evaluation.sequence_score import SequenceResult, SequenceScore
from panoptic_ros.metrics.drivable_quality import DrivableQuality, DrivableResult
from panoptic_ros.metrics.id_history import IdHistory

NO_VALUE = "(none)"
"""Stands for the value of a field that an image does not have."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """One image, its scores that need no other image, and what the others need."""

    pair: Pair
    truth: Annotation
    prediction: Prediction
    score: ImageScore
    pixels: PixelScore | None
    drivable: Drivable | None


@dataclass(frozen=True)
class EvaluationResult:
    """What was found; a metric that was not chosen is None.

    Attributes:
        frames: Panoptic quality and IoU of classes.
        pixels: What is compared pixel by pixel.
        drivable: Quality of the drivable surface.
        sequences: Scores over time.
        groups: The same of the images that have a field in common, by its value.
        remarks: What is odd about the truth, one sentence each.
    """

    frames: ImageScoreResult
    pixels: PixelScoreResult
    drivable: DrivableResult | None = None
    sequences: SequenceResult | None = None
    groups: Mapping[str, EvaluationResult] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def summary(self) -> dict[str, float]:
        """The headline scores of images in percent; not a number without any."""
        panoptic = self.frames.panoptic
        fractions = {
            "pq": panoptic.all.pq,
            "sq": panoptic.all.sq,
            "rq": panoptic.all.rq,
            "pq_things": panoptic.things.pq,
            "pq_stuff": panoptic.stuff.pq,
            "miou": self.frames.semantic.miou,
        }
        return {name: 100.0 * value for name, value in fractions.items()}


class Evaluation:
    """Collects the chosen scores. ``compare`` may be called by any thread, ``add`` by one.

    Args:
        categories: The classes; a label is a position among them.
        metrics: Some of ``selection.METRICS``.
        is_video: Whether the images are sequences.
        by: Field of the images; those of one value are scored by themselves, too.

    Raises:
        DataError: A metric needs what the data set does not have.
    """

    def __init__(
        self,
        categories: Sequence[Category],
        metrics: Collection[str],
        is_video: bool,
        by: str | None = None,
    ) -> None:
        self._categories = tuple(categories)
        self._metrics = frozenset(metrics)
        check_needs(self._metrics, len(self._categories), is_video)
        self._is_video = is_video
        self._by = by
        self._groups: dict[str, Evaluation] = {}
        self._score = ImageScore(self._categories)
        self._pixels = self._new_pixels()
        self._drivable = self._surfaces() if "drivable" in metrics else None
        over_time = self._metrics & set(TIME_METRICS)
        self._sequences = SequenceScore(self._categories, over_time) if over_time else None
        self._unlisted_images, self._first_unlisted = 0, ""

    @property
    def metrics(self) -> frozenset[str]:
        """The chosen scores."""
        return self._metrics

    @property
    def by(self) -> str | None:
        """Field of the images by which they are scored by themselves."""
        return self._by

    @cached_property
    def labels(self) -> LabelSet:
        """The classes with their colours."""
        return label_set(self._categories)

    def _surfaces(self) -> DrivableQuality:
        check_surface(self.labels)
        return DrivableQuality(self.labels)

    def _new_pixels(self) -> PixelScore | None:
        wanted = self._metrics & set(PIXEL_METRICS)
        return PixelScore(self.labels, wanted) if wanted else None

    def compare(self, pair: Pair, prediction: Prediction) -> Comparison:
        """Read the truth of one image and compare.

        Raises:
            DataError: A file is missing or damaged, sizes differ, map and segments of a
                prediction differ, or what a metric needs is not there; the message names the file.
        """
        truth = pair.truth.read()
        if truth.shape != prediction.annotation.shape:
            (height, width), (true_height, true_width) = prediction.annotation.shape, truth.shape
            raise DataError(
                f"{prediction.name}: is {width}x{height}, its truth {pair.truth.path.name} is "
                f"{true_width}x{true_height}{exif_hint(pair.truth.image)}"
            )
        score = ImageScore(self._categories)
        try:
            score.update(truth.segments, prediction.annotation.segments)
        except DataError as error:
            raise DataError(f"{prediction.name}: {error}") from error
        pixels = self._new_pixels()
        if pixels is not None:
            pixels.update(truth, prediction)
        return Comparison(
            pair,
            truth,
            prediction,
            score,
            pixels,
            self._surface(prediction),
        )

    def _surface(self, prediction: Prediction) -> Drivable | None:
        """The surface that was found, or that the node finds in labels of which it is sure."""
        if self._drivable is None or prediction.drivable is not None:
            return prediction.drivable
        found = prediction.annotation.map
        sure = np.full(found.labels.shape, 255, np.uint8)
        return find_drivable(
            Panoptic(found.labels, found.ids, sure, ()), self.labels, DrivableConfig()
        )

    def add(self, comparison: Comparison) -> None:
        """Add one image; those of a sequence come in order, without others between them."""
        self._score.merge(comparison.score)
        if unlisted := comparison.score.unlisted:
            self._add_unlisted(1, f"{comparison.pair.truth.path}: {listed(unlisted)}")
        if self._pixels is not None and comparison.pixels is not None:
            self._pixels.merge(comparison.pixels)
        sequence = comparison.pair.sequence
        if self._drivable is not None:
            known, found = comparison.truth.map, comparison.drivable
            if found is not None:
                self._drivable.update(
                    known.labels,
                    known.ids,
                    found,
                    sequence if self._is_video else None,
                    predicted_labels=comparison.prediction.annotation.map.labels,
                )
        if self._sequences is not None:
            self._sequences.update(comparison.truth, comparison.prediction.annotation, sequence)
        if self._by is not None:
            self._group(comparison.pair.truth.fields.get(self._by, NO_VALUE)).add(comparison)

    def _add_unlisted(self, images: int, first: str) -> None:
        self._unlisted_images += images
        self._first_unlisted = self._first_unlisted or first

    def _remarks(self) -> tuple[str, ...]:
        if not self._unlisted_images:
            return ()
        return (
            f"the truth of {counted(self._unlisted_images, 'image')} has segments that its JSON "
            f"does not list, the first is {self._first_unlisted}; as in panopticapi, what is "
            "predicted there counts against PQ; other scores leave those pixels out",
        )

    def _group(self, value: str) -> Evaluation:
        if value not in self._groups:
            self._groups[value] = Evaluation(self._categories, self._metrics, self._is_video)
        return self._groups[value]

    def merge(self, other: Evaluation) -> None:
        """Add what another one of the same classes and metrics collected.

        Raises:
            ValueError: They collect sequences, whose order would be lost.
        """
        if self._sequences is not None:
            raise ValueError("evaluations of sequences cannot be merged")
        self._score.merge(other._score)
        self._add_unlisted(other._unlisted_images, other._first_unlisted)
        if self._pixels is not None and other._pixels is not None:
            self._pixels.merge(other._pixels)
        if self._drivable is not None and other._drivable is not None:
            self._drivable.merge(other._drivable)
        for value, group in other._groups.items():
            self._group(value).merge(group)

    def result(self) -> EvaluationResult:
        """Compute the scores of all images so far."""
        return EvaluationResult(
            self._score.result(),
            self._pixels.result() if self._pixels else PixelScoreResult(),
            self._drivable.result() if self._drivable else None,
            self._sequences.result() if self._sequences else None,
            {value: self._groups[value].result() for value in sorted(self._groups)},
            self._remarks(),
        )

    def id_histories(self) -> dict[str, dict[str, list[IdHistory]]]:
        """Say who was followed under which id when, by sequence and class name."""
        return self._sequences.id_histories() if self._sequences else {}


def evaluate(
    evaluation: Evaluation,
    tasks: Iterable[EvalTask],
    watch: Callable[[Comparison], None] | None = None,
    workers: int = 0,
) -> EvaluationResult:
    """Score images; a few are in memory at a time.

    Args:
        evaluation: Collects the scores.
        tasks: The images in order; taken by the calling thread.
        watch: Told of every image, in order.
        workers: Threads that read and compare, 0 for one per core.

    Raises:
        DataError: A file is missing or damaged or does not fit; the message names it.
    """

    def compare(work: EvalTask) -> Comparison:
        pair, prediction = work
        return evaluation.compare(pair, prediction())

    workers = workers or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(workers) as pool:
        for comparison in in_order(pool, compare, tasks, 2 * workers):
            evaluation.add(comparison)
            if watch is not None:
                watch(comparison)
    return evaluation.result()
