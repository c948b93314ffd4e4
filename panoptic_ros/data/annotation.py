# SPDX-License-Identifier: Apache-2.0
"""One labelled image in the two forms that scores need: segments, and a class and object map."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category, SegmentInfo
from panoptic_ros.core.classes.labels import MAX_CLASSES
from panoptic_ros.core.runs import runs
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.label_map import LabelMap, to_segments

Segments = tuple[NDArray[np.uint32], Sequence[SegmentInfo]]
"""Segment id of each pixel, 0 for none, (H, W), and the segments."""


class Annotation(ABC):
    """One labelled image; each form is made when it is first asked for. One thread at a time."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(height, width)."""

    @cached_property
    @abstractmethod
    def segments(self) -> Segments:
        """Segment ids and segments."""

    @cached_property
    @abstractmethod
    def map(self) -> LabelMap:
        """Class position and object of each pixel."""


class MapAnnotation(Annotation):
    """Made from a class and object map.

    Args:
        image: The map.
        categories: The classes; a label is a position among them.
        is_truth: Whether things without an object are crowd; in a prediction they are void.
    """

    def __init__(self, image: LabelMap, categories: Sequence[Category], is_truth: bool) -> None:
        self._image = image
        self._categories = categories
        self._is_truth = is_truth

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self._image.labels.shape
        return height, width

    @cached_property
    def segments(self) -> Segments:
        """Segment ids and segments; areas are counted."""
        return to_segments(self._image, self._categories, self._is_truth)

    @cached_property
    def map(self) -> LabelMap:
        """The map."""
        return self._image


class SegmentAnnotation(Annotation):
    """Made from segments; their areas are those of the file.

    Args:
        ids: Segment of each pixel, 0 for none, (H, W).
        segments: The segments.
        categories: The classes.
    """

    def __init__(
        self,
        ids: NDArray[np.uint32],
        segments: Sequence[SegmentInfo],
        categories: Sequence[Category],
    ) -> None:
        self._segments = ids, segments
        self._categories = categories

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self._segments[0].shape
        return height, width

    @cached_property
    def segments(self) -> Segments:
        """Segment ids and segments."""
        return self._segments

    @cached_property
    def map(self) -> LabelMap:
        """Things are numbered from 1 in the order of the file, crowd is 0, unlisted is void."""
        ids, listed = self._segments
        position = {entry.id: place for place, entry in enumerate(self._categories[:MAX_CLASSES])}
        things = {entry.id for entry in self._categories if entry.is_thing}
        pairs: dict[int, tuple[int, int]] = {}
        for number, segment in enumerate(listed, start=1):
            is_object = segment.category_id in things and not segment.is_crowd
            pairs[segment.id] = (
                position.get(segment.category_id, VOID),
                number if is_object else NO_ID,
            )
        starts, lengths = runs(ids)
        numbers, which = np.unique(ids.ravel()[starts], return_inverse=True)
        table = np.array([pairs.get(number, (VOID, NO_ID)) for number in numbers.tolist()])
        drawn = table.reshape(-1, 2)[which.ravel()].repeat(lengths, axis=0)
        labels, objects = (drawn[:, column].reshape(ids.shape) for column in range(2))
        return LabelMap(labels.astype(np.uint8), objects.astype(np.uint16))
