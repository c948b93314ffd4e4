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
        matched: Seen under the id that belongs to the object.
        false_alarms: Predicted under an id that does not.
        missed: Not seen under it.
    """

    matched: int = 0
    false_alarms: int = 0
    missed: int = 0

    @property
    def idf1(self) -> float:
        """F1 score of ids."""
        size = self.matched + 0.5 * self.false_alarms + 0.5 * self.missed
        return self.matched / max(1.0, size)


def add_identity(parts: Iterable[Identity]) -> Identity:
    """Add up sequences."""
    matched = false_alarms = missed = 0
    for part in parts:
        matched += part.matched
        false_alarms += part.false_alarms
        missed += part.missed
    return Identity(matched, false_alarms, missed)


def identity(line: TrackingSequence) -> Identity:
    """Pair the tracks of one sequence so that as many sightings as possible agree."""
    together = np.zeros((line.truth_count, line.predicted_count), np.int64)
    true = predicted = 0
    for seen in line.frames:
        rows, columns = np.nonzero(seen.iou >= MATCH_IOU)
        together[seen.truth[rows], seen.predicted[columns]] += 1
        true += seen.truth.size
        predicted += seen.predicted.size
    # An unpaired track costs its length and a pair saves twice what it shares, so that the
    # cheapest assignment of the source is the one that shares most.
    matched = int(together[largest_sum(together)].sum())
    return Identity(matched, predicted - matched, true - matched)
