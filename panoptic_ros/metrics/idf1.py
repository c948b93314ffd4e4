# SPDX-License-Identifier: Apache-2.0
"""Identity scores (IDF1): one predicted track for each true one, over the whole sequence.

Source: Ristani et al. 2016, "Performance Measures and a Data Set for Multi-Target, Multi-Camera
Tracking", section 3, as TrackEval computes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from panoptic_ros.metrics.assignment import largest_sum
from panoptic_ros.metrics.frame_matches import MATCH_IOU, TrackingSequence


@dataclass(frozen=True)
class Identity:
    """Counts of matches over sequences, and the score that follows from them.

    Attributes:
        tp: True positives: seen under the id that belongs to the object.
        fp: False positives: predicted under an id that does not.
        fn: False negatives: not seen under it.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def idf1(self) -> float:
        """F1 score of ids."""
        size = self.tp + 0.5 * self.fp + 0.5 * self.fn
        return self.tp / max(1.0, size)


def add_identity(parts: Iterable[Identity]) -> Identity:
    """Add up sequences."""
    tp = fp = fn = 0
    for part in parts:
        tp += part.tp
        fp += part.fp
        fn += part.fn
    return Identity(tp, fp, fn)


def identity(sequence: TrackingSequence) -> Identity:
    """Pair the tracks of one sequence so that they agree in as many frames as possible."""
    together = np.zeros((sequence.truth_count, sequence.predicted_count), np.int64)
    true = predicted = 0
    for seen in sequence.frames:
        rows, columns = np.nonzero(seen.iou >= MATCH_IOU)
        together[seen.truth[rows], seen.predicted[columns]] += 1
        true += seen.truth.size
        predicted += seen.predicted.size
    # An unpaired track costs its length and a pair saves twice what it shares, so that the
    # cheapest assignment of the source is the one that shares most.
    tp = int(together[largest_sum(together)].sum())
    return Identity(tp, predicted - tp, true - tp)
