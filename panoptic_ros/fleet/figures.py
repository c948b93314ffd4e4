# SPDX-License-Identifier: Apache-2.0
"""What one camera's results say about a drive: hours of classes, objects, and hard frames."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.overlap import overlap
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import VOID

MOST_HARD = 5
"""Frames that are kept of each kind of difficulty."""
LEAST_SHARE = 0.001
"""A class is seen in a frame that shows so much of it."""
MOST_STEP_S = 1.0
"""A frame stands for the time since the one before, but for no longer."""
SAME_OBJECT = 0.5
"""An object with so much of its pixels on one of the frame before is the same one."""

KINDS = ("uncertain", "id_changes", "flicker")
"""Why somebody should look at a frame: its mean confidence is low, objects changed their ids, the
class of many pixels changed since the frame before."""


class CameraFigures:
    """Sums up the results of one camera, frame by frame; used by one thread.

    Args:
        labels: The model's classes.
    """

    def __init__(self, labels: LabelSet) -> None:
        self._labels = labels
        self.frames = 0
        self._first_ns = self._last_ns = 0
        self._class_s: defaultdict[int, float] = defaultdict(float)
        self._objects: dict[int, int] = {}
        self._confidence = 0.0
        self._id_changes = 0
        self._hard: dict[str, list[tuple[float, int]]] = {kind: [] for kind in KINDS}
        self._before: tuple[NDArray[np.uint8], NDArray[np.uint16]] | None = None

    def add(self, result: Result) -> None:
        """Take the next result in."""
        stamp_ns = result.frame.stamp_ns
        labels, ids = result.track_labels(), result.track_ids()
        shares = np.bincount(labels.ravel(), minlength=256)[:VOID] / labels.size
        step_s = min(max(stamp_ns - self._last_ns, 0) / 1e9, MOST_STEP_S) if self.frames else 0.0
        for label in np.flatnonzero(shares >= LEAST_SHARE).tolist():
            self._class_s[label] += step_s
        self._objects.update({track.id: track.label for track in result.tracks})
        self._note_difficulty(stamp_ns, labels, ids, result)
        self._first_ns = self._first_ns if self.frames else stamp_ns
        self._last_ns = stamp_ns
        self._before = labels, ids
        self.frames += 1

    @property
    def recorded_s(self) -> float:
        """Time from the first to the last frame."""
        return (self._last_ns - self._first_ns) / 1e9

    def to_json(self) -> dict[str, Any]:
        """Sum up with JSON types."""
        objects = Counter(self._labels.name_of(label) for label in self._objects.values())
        return {
            "frames": self.frames,
            "recorded_s": round(self.recorded_s, 3),
            "first_stamp_ns": self._first_ns,
            "class_s": {
                self._labels.name_of(label): round(seconds, 3)
                for label, seconds in sorted(self._class_s.items())
            },
            "objects": dict(sorted(objects.items())),
            "mean_confidence": round(self._confidence / max(self.frames, 1), 4),
            "id_changes": self._id_changes,
            "hard_frames": {kind: self._hardest(kind) for kind in KINDS},
        }

    def _note_difficulty(
        self, stamp_ns: int, labels: NDArray[np.uint8], ids: NDArray[np.uint16], result: Result
    ) -> None:
        confidence = float(result.panoptic.confidence.mean()) / 255
        self._confidence += confidence
        self._keep("uncertain", -confidence, stamp_ns)
        if self._before is None or self._before[0].shape != labels.shape:
            return
        old_labels, old_ids = self._before
        changed = changed_ids(old_ids, ids)
        self._id_changes += changed
        if changed:
            self._keep("id_changes", changed, stamp_ns)
        self._keep("flicker", float(np.mean(old_labels != labels)), stamp_ns)

    def _keep(self, kind: str, value: float, stamp_ns: int) -> None:
        kept = self._hard[kind]
        heapq.heappush(kept, (value, -stamp_ns))
        if len(kept) > MOST_HARD:
            heapq.heappop(kept)

    def _hardest(self, kind: str) -> list[dict[str, float]]:
        ranked = sorted(self._hard[kind], reverse=True)
        return [{"stamp_ns": -stamp, "value": round(abs(value), 5)} for value, stamp in ranked]


def changed_ids(before: NDArray[np.uint16], after: NDArray[np.uint16]) -> int:
    """Count the objects that lie where another one was, whose id is gone now.

    Args:
        before: Ids of the frame before, 0 for none, any shape.
        after: Ids of a frame, same shape.

    >>> one = np.zeros((4, 4), np.uint16)
    >>> one[:2] = 7
    >>> changed_ids(one, one), changed_ids(one, np.where(one == 7, 9, 0).astype(np.uint16))
    (0, 1)
    """
    (known, old), (present, new) = _numbered(before), _numbered(after)
    shared = overlap(old, new)
    areas = shared.sum(axis=0)
    # Half of an object may lie where nothing was.
    shared[known == 0] = 0
    count = 0
    for column, number in enumerate(present.tolist()):
        row = int(shared[:, column].argmax())
        was = int(known[row])
        is_other = number != 0 and was not in (0, number)
        if is_other and was not in present and shared[row, column] >= SAME_OBJECT * areas[column]:
            count += 1
    return count


def _numbered(ids: NDArray[np.uint16]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the ids that occur, and for every pixel the place of its id among them."""
    present = np.flatnonzero(np.bincount(ids.ravel()))
    places = np.zeros(int(present[-1]) + 1, np.intp)
    places[present] = np.arange(present.size)
    return present, places[ids]
