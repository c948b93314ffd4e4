# SPDX-License-Identifier: Apache-2.0
"""CLEAR scores of masks: MOTSA, MOTSP, sMOTSA and id switches.

Source: Voigtlaender et al. 2019, "MOTS: Multi-Object Tracking and Segmentation", section 4, as
TrackEval computes it: a pair of the frame before is kept where it still overlaps enough; a switch
is counted against the last id an object ever had; frames without truth or without prediction do
not end a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.metrics.assignment import largest_sum
from panoptic_ros.metrics.frame_matches import EPSILON, MATCH_IOU, FrameMatches, TrackingSequence

_NOBODY = -1
_KEEP = 1000.0
"""Outweighs every IoU, so that a pair that can be kept is kept."""


@dataclass(frozen=True)
class Clear:
    """Counts over sequences, and the scores that follow from them.

    Attributes:
        tp: True positives: objects found, over all frames.
        fp: False positives: predictions of nothing.
        fn: False negatives: objects not found.
        id_switches: Objects found under another id than before.
        fragments: How often a broken track was taken up again.
        mostly_tracked: Objects found in more than 80 % of their frames.
        partly_tracked: In 20 % to 80 %.
        mostly_lost: In less.
        iou: Sum of the IoU of what matched.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    id_switches: int = 0
    fragments: int = 0
    mostly_tracked: int = 0
    partly_tracked: int = 0
    mostly_lost: int = 0
    iou: float = 0.0

    @property
    def motsa(self) -> float:
        """Accuracy; below 0 where there are more mistakes than objects."""
        return (self.tp - self.fp - self.id_switches) / self._objects

    @property
    def smotsa(self) -> float:
        """Accuracy in which a match counts by its IoU."""
        return (self.iou - self.fp - self.id_switches) / self._objects

    @property
    def motsp(self) -> float:
        """Mean IoU of what matched."""
        return self.iou / max(1, self.tp)

    @property
    def _objects(self) -> int:
        return max(1, self.tp + self.fn)


def add_clear(parts: Iterable[Clear]) -> Clear:
    """Add up sequences."""
    total = dict.fromkeys(Clear.__dataclass_fields__, 0.0)
    for part in parts:
        for name in total:
            total[name] += getattr(part, name)
    counts = {name: int(value) for name, value in total.items() if name != "iou"}
    return Clear(**counts, iou=total["iou"])


def clear(sequence: TrackingSequence) -> Clear:
    """Compute the counts of one sequence."""
    walk = _Walk(sequence.truth_count)
    for frame in sequence.frames:
        walk.step(frame)
    return walk.counts()


def matches(sequence: TrackingSequence) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield who was found under which number, frame by frame: (true, predicted), (N,) each."""
    walk = _Walk(sequence.truth_count)
    for frame in sequence.frames:
        yield walk.step(frame)


class _Walk:
    """Goes through the frames and remembers who followed whom."""

    def __init__(self, objects: int) -> None:
        self._last = np.full(objects, _NOBODY)
        self._before = np.full(objects, _NOBODY)
        self._present = np.zeros(objects, np.int64)
        self._found = np.zeros(objects, np.int64)
        self._starts = np.zeros(objects, np.int64)
        self._tp = self._fp = self._fn = self._switches = 0
        self._iou = 0.0

    def step(self, seen: FrameMatches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        self._present[seen.truth] += 1
        if not seen.truth.size or not seen.predicted.size:
            self._fn += seen.truth.size
            self._fp += seen.predicted.size
            return seen.truth[:0], seen.predicted[:0]
        rows, columns = self._pairs(seen)
        truth, predicted = seen.truth[rows], seen.predicted[columns]
        last = self._last[truth]
        self._switches += int(((last != _NOBODY) & (last != predicted)).sum())
        self._found[truth] += 1
        self._last[truth] = predicted
        was_followed = self._before != _NOBODY
        self._before[:] = _NOBODY
        self._before[truth] = predicted
        self._starts += ~was_followed & (self._before != _NOBODY)
        self._tp += rows.size
        self._fn += seen.truth.size - rows.size
        self._fp += seen.predicted.size - rows.size
        self._iou += float(seen.iou[rows, columns].sum())
        return truth, predicted

    def _pairs(self, seen: FrameMatches) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        is_kept = seen.predicted[None, :] == self._before[seen.truth][:, None]
        gain = np.where(seen.iou < MATCH_IOU - EPSILON, 0.0, _KEEP * is_kept + seen.iou)
        rows, columns = largest_sum(gain)
        matched = gain[rows, columns] > EPSILON
        return rows[matched], columns[matched]

    def counts(self) -> Clear:
        seen = self._present > 0
        share = self._found[seen] / self._present[seen]
        mostly = int((share > 0.8).sum())
        partly = int((share >= 0.2).sum()) - mostly
        return Clear(
            tp=self._tp,
            fp=self._fp,
            fn=self._fn,
            id_switches=self._switches,
            fragments=int((self._starts[self._starts > 0] - 1).sum()),
            mostly_tracked=mostly,
            partly_tracked=partly,
            mostly_lost=self._last.size - mostly - partly,
            iou=self._iou,
        )
