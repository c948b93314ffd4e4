# SPDX-License-Identifier: Apache-2.0
"""Scores that need no other image: panoptic quality and IoU of classes from one comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import VOID_ID, Category, SegmentInfo
from panoptic_ros.data.annotation import Segments
from panoptic_ros.metrics.intersections import intersect
from panoptic_ros.metrics.panoptic_quality import PanopticQuality, PanopticQualityResult
from panoptic_ros.metrics.semantic import SemanticIou, SemanticResult


@dataclass(frozen=True)
class ImageScoreResult:
    """What ``ImageScore`` found.

    Attributes:
        categories: The classes.
        images: How many images there were.
        panoptic: Panoptic quality.
        semantic: IoU of classes; its ``classes`` follow ``categories``.
    """

    categories: tuple[Category, ...]
    images: int
    panoptic: PanopticQualityResult
    semantic: SemanticResult


class ImageScore:
    """Panoptic quality and IoU of classes from one comparison of the maps.

    One thread at a time; merge the parts of several.

    Args:
        categories: The classes of the truth.

    Attributes:
        unlisted: Ids in the truth's map that are none of its segments, of the last image.
    """

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = tuple(categories)
        self._index = {category.id: index for index, category in enumerate(self._categories)}
        self._panoptic = PanopticQuality(self._categories)
        self._semantic = SemanticIou(len(self._categories))
        self._images = 0
        self.unlisted: tuple[int, ...] = ()

    def reset(self) -> None:
        """Forget all images."""
        self._panoptic.reset()
        self._semantic.reset()
        self._images = 0
        self.unlisted = ()

    def merge(self, other: ImageScore) -> None:
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
        listed = {VOID_ID, *(segment.id for segment in truth[1])}
        self.unlisted = tuple(sorted(set(shared.truth.tolist()) - listed))
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

    def result(self) -> ImageScoreResult:
        """Compute the scores of all images so far."""
        return ImageScoreResult(
            self._categories, self._images, self._panoptic.result(), self._semantic.result()
        )
