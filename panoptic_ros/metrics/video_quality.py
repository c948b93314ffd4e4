# SPDX-License-Identifier: Apache-2.0
"""Video panoptic quality (VPQ): panoptic quality of tubes over windows of frames.

Source: Kim et al. 2020, "Video Panoptic Segmentation", section 4, and the rules of
``tools/eval_vpq.py`` of its authors: a window slides by one frame; a segment is one tube as long
as its id stays, with the class and crowd flag of its first frame in the window; matching is that
of panoptic quality; the score is the mean over the window lengths.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category, SegmentInfo
from panoptic_ros.metrics.intersections import Intersections, count_pairs, intersect
from panoptic_ros.metrics.panoptic_quality import PanopticQuality, PanopticQualityResult

WINDOWS = (1, 2, 3, 4)
"""Frames in a window, as the paper has them."""


@dataclass(frozen=True)
class VideoQualityResult:
    """Mean over the windows, 0..1, and what each window length found.

    Attributes:
        all: VPQ of all classes.
        things: VPQ of things.
        stuff: VPQ of stuff.
        windows: Panoptic quality of the tubes by frames in a window.
    """

    all: float
    things: float
    stuff: float
    windows: Mapping[int, PanopticQualityResult]


@dataclass(frozen=True, eq=False)
class _Comparison:
    """One frame, compared."""

    shared: Intersections
    truth: tuple[SegmentInfo, ...]
    predicted: tuple[SegmentInfo, ...]


class VideoQuality:
    """Collects tubes over frames that come in order. One thread at a time.

    Args:
        categories: The classes of the truth.
        windows: Frames in a window, each at least 1.
    """

    def __init__(self, categories: Sequence[Category], windows: Sequence[int] = WINDOWS) -> None:
        self._quality = {length: PanopticQuality(categories) for length in windows}
        self._last: deque[_Comparison] = deque(maxlen=max(windows))
        self._sequence: str | None = None

    def reset(self) -> None:
        """Forget all sequences."""
        for quality in self._quality.values():
            quality.reset()
        self._last.clear()
        self._sequence = None

    def merge(self, other: VideoQuality) -> None:
        """Add what another one collected from other sequences."""
        for length, quality in self._quality.items():
            quality.merge(other._quality[length])

    def update(
        self,
        truth_ids: NDArray[np.uint32],
        truth_segments: Iterable[SegmentInfo],
        predicted_ids: NDArray[np.uint32],
        predicted_segments: Iterable[SegmentInfo],
        sequence: str = "",
    ) -> None:
        """Add the next frame of a sequence; another name than before starts a sequence.

        Args:
            truth_ids: Segment of each pixel, 0 for none, (H, W); it keeps its number over time.
            truth_segments: Its segments; their ``area`` is believed.
            predicted_ids: Segment of each pixel, 0 for none, (H, W).
            predicted_segments: Its segments.
            sequence: Whose frame it is; the frames of one come without others between them.

        Raises:
            DataError: Predicted map and predicted segments differ, or a class is unknown.
            ValueError: The maps differ in shape.
        """
        if sequence != self._sequence:
            self._last.clear()
            self._sequence = sequence
        shared = intersect(truth_ids, predicted_ids)
        self._last.append(_Comparison(shared, tuple(truth_segments), tuple(predicted_segments)))
        for length, quality in self._quality.items():
            if length <= len(self._last):
                frames = list(self._last)[-length:]
                quality.update_shared(
                    _joined([frame.shared for frame in frames]),
                    _tubes(frame.truth for frame in frames),
                    _tubes(frame.predicted for frame in frames),
                )

    def result(self) -> VideoQualityResult:
        """Compute the quality of all sequences so far; windows nobody filled leave the mean."""
        windows = {length: quality.result() for length, quality in self._quality.items()}
        found = list(windows.values())
        return VideoQualityResult(
            _mean(result.all.pq for result in found),
            _mean(result.things.pq for result in found),
            _mean(result.stuff.pq for result in found),
            windows,
        )


def _joined(parts: Sequence[Intersections]) -> Intersections:
    """Pixels of every pair over all frames."""
    if len(parts) == 1:
        return parts[0]
    return count_pairs(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        np.concatenate([part.pixels for part in parts]),
    )


def _tubes(frames: Iterable[Iterable[SegmentInfo]]) -> list[SegmentInfo]:
    """Segments over all frames: class and crowd of the first, areas summed."""
    tubes: dict[int, SegmentInfo] = {}
    for frame in frames:
        for segment in frame:
            known = tubes.get(segment.id)
            area = segment.area + (known.area if known else 0)
            tubes[segment.id] = (known or segment)._replace(area=area)
    return list(tubes.values())


def _mean(values: Iterable[float]) -> float:
    there = [value for value in values if not math.isnan(value)]
    return sum(there) / len(there) if there else math.nan
