# SPDX-License-Identifier: Apache-2.0
"""Counts what label files leave out because their format or data set has no such class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import counted, listed
from panoptic_ros.core.types import Panoptic


class LeftOut:
    """Segments of classes that are not written; used by one thread.

    Args:
        labels: The classes of the model.
        known: The class indices that are written.
        where: What lacks the others, for the message.
    """

    def __init__(self, labels: LabelSet, known: Collection[int], where: str) -> None:
        self._names = {
            entry.index: entry.name for entry in labels.labels if entry.index not in known
        }
        self._things = labels.things
        self._where = where
        self._segments: Counter[str] = Counter()
        self._images = 0

    def note(self, panoptic: Panoptic) -> None:
        """Count what one image loses: objects, and one segment for each class of stuff."""
        objects = [entry.label for entry in panoptic.segments]
        shown = np.flatnonzero(np.bincount(panoptic.labels.ravel(), minlength=256)).tolist()
        stuff = [label for label in shown if not self._things[label]]
        lost = [self._names[label] for label in (*objects, *stuff) if label in self._names]
        self._segments.update(lost)
        self._images += bool(lost)

    def remarks(self) -> tuple[str, ...]:
        """Say what was lost, one sentence, or nothing."""
        if not self._segments:
            return ()
        classes = [f"{name} ({count})" for name, count in self._segments.most_common()]
        segments = counted(sum(self._segments.values()), "segment")
        return (
            f"{segments} in {counted(self._images, 'image')} left out, as "
            f"{self._where} has no class of that name: {listed(classes)}",
        )
