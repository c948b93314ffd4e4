# SPDX-License-Identifier: Apache-2.0
"""Score label files: as images, and in sequences as tubes and as tracks over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.coco_panoptic import Category
from panoptic_ros.data.label_map import LabelMap, to_segments
from panoptic_ros.metrics.object_tracking import ObjectTracking, ObjectTrackingResult
from panoptic_ros.metrics.runner import Report, Score, in_order
from panoptic_ros.metrics.tracking_quality import TrackingQuality, TrackingQualityResult
from panoptic_ros.metrics.video_quality import VideoQuality, VideoQualityResult

Reader = Callable[[Path], LabelMap]


@dataclass(frozen=True)
class FramePair:
    """One frame's truth and prediction."""

    sequence: str
    truth: Path
    predicted: Path


@dataclass(frozen=True)
class SequenceReport:
    """What sequences scored; ``objects`` is keyed by the name of a thing class."""

    frames: Report
    tracking: TrackingQualityResult
    video: VideoQualityResult
    objects: Mapping[str, ObjectTrackingResult]


def pair_frames(
    truth: Mapping[str, Mapping[str, Path]], predicted: Mapping[str, Mapping[str, Path]]
) -> list[FramePair]:
    """Find the prediction of every labelled frame.

    Args:
        truth: Path by stem by sequence, in order.
        predicted: The same for predictions; frames without truth are left alone. Where both have
            one sequence only, its name does not matter.

    Raises:
        DataError: A frame has no prediction.
    """
    if len(truth) == len(predicted) == 1:
        predicted = dict(zip(truth, predicted.values(), strict=True))
    pairs = []
    for sequence, frames in truth.items():
        found = predicted.get(sequence, {})
        missing = [stem for stem in frames if stem not in found]
        if missing:
            raise DataError(
                f"{f'sequence {sequence}: ' if sequence else ''}no prediction for "
                f"{len(missing)} of {len(frames)} pictures, the first is {missing[0]}"
            )
        pairs += [FramePair(sequence, path, found[stem]) for stem, path in frames.items()]
    return pairs


class SequenceScore:
    """All scores of sequences; frames come in order. One thread at a time.

    Args:
        categories: The classes; a label is a position among them.
    """

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = tuple(categories)
        things = [index for index, category in enumerate(categories) if category.is_thing]
        self._frames = Score(categories)
        self._tracking = TrackingQuality(len(self._categories), things)
        self._video = VideoQuality(self._categories)
        self._objects = {index: ObjectTracking() for index in things}

    def update(self, truth: LabelMap, predicted: LabelMap, sequence: str) -> None:
        """Add the next frame of a sequence.

        Raises:
            ValueError: The maps differ in shape.
        """
        true_segments = to_segments(truth, self._categories, is_truth=True)
        segments = to_segments(predicted, self._categories, is_truth=False)
        self._frames.update(true_segments, segments)
        self._video.update(*true_segments, *segments, sequence)
        self._tracking.update(truth.labels, truth.ids, predicted.labels, predicted.ids, sequence)
        for index, objects in self._objects.items():
            true, found = (
                np.where(picture.labels == index, picture.ids, NO_ID)
                for picture in (truth, predicted)
            )
            crowd = (truth.labels == index) & (truth.ids == NO_ID)
            objects.update(true, found, sequence, crowd | (truth.labels == VOID))

    def result(self) -> SequenceReport:
        """Compute the scores of all frames so far."""
        return SequenceReport(
            self._frames.result(),
            self._tracking.result(),
            self._video.result(),
            {
                self._categories[index].name: objects.result()
                for index, objects in self._objects.items()
            },
        )


def evaluate_sequences(
    pairs: Sequence[FramePair],
    categories: Sequence[Category],
    read: Reader,
    watch: Callable[[FramePair], None] | None = None,
    workers: int = 0,
) -> SequenceReport:
    """Score the label files of sequences.

    Args:
        pairs: The frames of each sequence in order, one sequence after the other.
        categories: The classes.
        read: Reads a label file.
        watch: Told of every frame.
        workers: Threads that read, 0 for one per core.

    Raises:
        DataError: A file is missing or damaged, or sizes differ; the message names the file.
    """
    score = SequenceScore(categories)
    for pair, truth, predicted in in_order(_loader(read), pairs, workers):
        score.update(truth, predicted, pair.sequence)
        if watch is not None:
            watch(pair)
    return score.result()


def evaluate_label_files(
    pairs: Sequence[FramePair],
    categories: Sequence[Category],
    read: Reader,
    watch: Callable[[FramePair], None] | None = None,
    workers: int = 0,
) -> Report:
    """Score label files of single images; see ``evaluate_sequences``."""
    load = _loader(read)

    def compare(pair: FramePair) -> tuple[FramePair, Score]:
        _, truth, predicted = load(pair)
        one = Score(categories)
        one.update(
            to_segments(truth, categories, is_truth=True),
            to_segments(predicted, categories, is_truth=False),
        )
        return pair, one

    total = Score(categories)
    for pair, one in in_order(compare, pairs, workers):
        total.merge(one)
        if watch is not None:
            watch(pair)
    return total.result()


def _loader(read: Reader) -> Callable[[FramePair], tuple[FramePair, LabelMap, LabelMap]]:
    def load(pair: FramePair) -> tuple[FramePair, LabelMap, LabelMap]:
        truth, predicted = read(pair.truth), read(pair.predicted)
        if truth.labels.shape != predicted.labels.shape:
            (height, width), (true_height, true_width) = (
                picture.labels.shape for picture in (predicted, truth)
            )
            raise DataError(
                f"{pair.predicted}: is {width}x{height}, its truth {true_width}x{true_height}"
            )
        return pair, truth, predicted

    return load
