# SPDX-License-Identifier: Apache-2.0
"""Score a data set: files are read and compared by a few threads, in constant memory.

Threads suffice because decoding images and comparing maps happen outside Python's lock.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.categories import Category, SegmentInfo
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.geometry import shrink
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.model import Engine
from panoptic_ros.data.annotation import Segments
from panoptic_ros.data.coco.files import read_truth
from panoptic_ros.data.coco.reader import (
    CocoPanoptic,
    CocoPrediction,
    ImageId,
    ImageRecord,
    read_ids,
)
from panoptic_ros.data.coco.segments import encode
from panoptic_ros.data.images import read_image
from panoptic_ros.metrics.intersections import intersect
from panoptic_ros.metrics.panoptic_quality import PanopticQuality, PanopticQualityResult
from panoptic_ros.metrics.semantic import SemanticIou, SemanticResult

Watch = Callable[[ImageRecord, "Score"], None]
"""Called with every image and its own score, in the order of the data set."""


@dataclass(frozen=True)
class Report:
    """What a data set scored; ``semantic.classes`` follow ``categories``."""

    categories: tuple[Category, ...]
    images: int
    panoptic: PanopticQualityResult
    semantic: SemanticResult

    def summary(self) -> dict[str, float]:
        """The headline scores in percent."""
        panoptic = self.panoptic
        fractions = {
            "pq": panoptic.all.pq,
            "sq": panoptic.all.sq,
            "rq": panoptic.all.rq,
            "pq_things": panoptic.things.pq,
            "pq_stuff": panoptic.stuff.pq,
            "miou": self.semantic.miou,
        }
        return {name: 100.0 * value for name, value in fractions.items()}


class Score:
    """Panoptic quality and IoU of classes from one comparison of the maps.

    Args:
        categories: The classes of the truth.
    """

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = tuple(categories)
        self._index = {category.id: index for index, category in enumerate(self._categories)}
        self._panoptic = PanopticQuality(self._categories)
        self._semantic = SemanticIou(len(self._categories))
        self._images = 0

    def reset(self) -> None:
        """Forget all images."""
        self._panoptic.reset()
        self._semantic.reset()
        self._images = 0

    def merge(self, other: Score) -> None:
        """Add the images of another score of the same classes."""
        self._panoptic.merge(other._panoptic)
        self._semantic.merge(other._semantic)
        self._images += other._images

    def update(self, truth: Segments, predicted: Segments) -> None:
        """Add one image.

        Raises:
            DataError: Predicted map and predicted segments differ, or a class is unknown.
            ValueError: The maps differ in shape.
        """
        shared = intersect(truth[0], predicted[0])
        self._panoptic.update_shared(shared, truth[1], predicted[1])
        self._semantic.update_counts(
            self._classes(shared.truth, truth[1]),
            self._classes(shared.predicted, predicted[1]),
            shared.pixels,
        )
        self._images += 1

    def _classes(
        self, ids: NDArray[np.int64], segments: Iterable[SegmentInfo]
    ) -> NDArray[np.int64]:
        """Class index of each segment id, -1 for void."""
        index_of = {segment.id: self._index.get(segment.category_id, -1) for segment in segments}
        return np.array([index_of.get(number, -1) for number in ids.tolist()], np.int64)

    def result(self) -> Report:
        """Compute the scores of all images so far."""
        return Report(
            self._categories, self._images, self._panoptic.result(), self._semantic.result()
        )


def evaluate_predictions(
    data: CocoPanoptic,
    predictions: Mapping[ImageId, CocoPrediction],
    watch: Watch | None = None,
    workers: int = 0,
) -> Report:
    """Score label files.

    Args:
        data: The truth.
        predictions: By image id; those of other images are left alone.
        watch: Told of every image.
        workers: Threads, 0 for one per core.

    Raises:
        DataError: A file is missing or damaged, an image has no prediction, sizes differ, or map
            and segments of a prediction differ; the message names the file.
    """
    for record in data.records:
        if record.id not in predictions:
            raise DataError(f"no prediction for image {record.id} ({record.image.name})")

    def score(record: ImageRecord) -> tuple[ImageRecord, Score]:
        prediction = predictions[record.id]
        one = Score(data.categories)
        predicted = read_ids(prediction.panoptic), prediction.segments
        _update(one, record, read_truth(record), predicted, str(prediction.panoptic))
        return record, one

    return _total(data, in_order(score, data.records, workers), watch)


def evaluate_engine(
    engine: Engine,
    data: CocoPanoptic,
    config: DecodeConfig | None = None,
    watch: Watch | None = None,
) -> Report:
    """Run a network over the images of a data set and score what it says.

    Args:
        engine: The network; used by the calling thread only, not closed.
        data: The truth; its categories are matched with the network's classes by name.
        config: Thresholds.
        watch: Told of every image.

    Raises:
        DataError: A file is missing or damaged, or the two share no class name.
        EngineRunError: The engine failed.
    """
    category_ids = match_classes(engine.spec.labels, data.categories)
    things = _things(engine.spec.labels, data.categories)
    settings = config or DecodeConfig()

    def load(record: ImageRecord) -> tuple[ImageRecord, NDArray[np.uint8], NDArray[np.uint32]]:
        return record, read_image(record.image), read_truth(record)

    def scores() -> Iterator[tuple[ImageRecord, Score]]:
        for record, image, truth in in_order(load, data.records, 1):
            heads = engine.infer(shrink(image, engine.input))
            panoptic = decode(heads, engine.spec.labels, settings)
            predicted = encode(panoptic, image.shape[:2], category_ids, things)
            one = Score(data.categories)
            _update(one, record, truth, predicted, str(record.image))
            yield record, one

    return _total(data, scores(), watch)


def match_classes(labels: LabelSet, categories: Sequence[Category]) -> dict[int, int]:
    """Find the category id of each class index, by name; classes without one are left out.

    Raises:
        DataError: They share no name.
    """
    by_name = {category.name: category.id for category in categories}
    found = {entry.index: by_name[entry.name] for entry in labels.labels if entry.name in by_name}
    if not found:
        raise DataError(
            f"the model's label set {labels.name} shares no class name with the data set; it has "
            f"{', '.join(entry.name for entry in labels.labels[:4])}, ...; the data set has "
            f"{', '.join(category.name for category in categories[:4])}, ..."
        )
    return found


def _things(labels: LabelSet, categories: Sequence[Category]) -> NDArray[np.bool_]:
    """Which class indices are things in the model and in the truth: stuff is one segment."""
    stuff = {category.name for category in categories if not category.is_thing}
    things: NDArray[np.bool_] = labels.things.copy()
    things[[entry.index for entry in labels.labels if entry.name in stuff]] = False
    return things


def _update(
    score: Score,
    record: ImageRecord,
    truth: NDArray[np.uint32],
    predicted: Segments,
    name: str,
) -> None:
    if truth.shape != predicted[0].shape:
        raise DataError(
            f"{name}: is {predicted[0].shape[1]}x{predicted[0].shape[0]}, its truth "
            f"{record.panoptic.name} is {truth.shape[1]}x{truth.shape[0]}"
        )
    try:
        score.update((truth, record.segments), predicted)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def _total(
    data: CocoPanoptic, scores: Iterable[tuple[ImageRecord, Score]], watch: Watch | None
) -> Report:
    total = Score(data.categories)
    for record, one in scores:
        total.merge(one)
        if watch is not None:
            watch(record, one)
    return total.result()


Item = TypeVar("Item")
Done = TypeVar("Done")


def in_order(work: Callable[[Item], Done], items: Iterable[Item], workers: int) -> Iterator[Done]:
    """Work on items in threads and pass the results on in order, with few in flight."""
    workers = workers or len(os.sched_getaffinity(0))
    waiting: deque[Future[Done]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
