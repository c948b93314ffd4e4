# SPDX-License-Identifier: Apache-2.0
"""How the results of one model differ from those of another on the same images, without truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import VOID_ID, Category, SegmentInfo
from panoptic_ros.core.runs import runs
from panoptic_ros.core.timing.percentiles import percentiles
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.annotation import Segments
from panoptic_ros.evaluation.image_score import ImageScore
from panoptic_ros.metrics.intersections import intersect

NEAR = 0.4
"""The lower part of an image shows what is near the vehicle."""
SAME_OBJECT = 0.5
"""Objects of one class with a larger IoU than this are the same one."""

MEASURES = {
    "pixels": "pixels of another class, percent",
    "pq": "panoptic quality of B against A, points below 100",
    "lost": "objects of A that B lacks, percent of those of A",
    "appeared": "objects of B that A lacks, percent of those of A",
    "id_changes": "changes of id in B of an object that keeps its id in A, in 100 frames",
    "drivable": "pixels that one calls drivable and the other does not, percent",
    "drivable_near": f"the same in the lower {NEAR:.0%} of the image, percent",
    "latency": "median time of B above that of A, percent",
}
"""What can be limited, and its unit; 0 means no difference."""


@dataclass(frozen=True, eq=False)
class SideFrame:
    """One frame as one of the two sides has it.

    Attributes:
        stamp_ns: Its stamp.
        labels: Class index, 255 void, (H, W) uint8.
        ids: Track id, 0 for none, (H, W) uint16.
        drivable: Above 0 where one can drive, (H, W) uint8; None where it was not recorded.
        latency_ms: Time that the pipeline took, None where it is not known.
        image: RGB, (H, W, 3) uint8; None where it is not at hand.
    """

    stamp_ns: int
    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]
    drivable: NDArray[np.uint8] | None = None
    latency_ms: float | None = None
    image: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class FrameDifference:
    """One frame in numbers.

    Attributes:
        stamp_ns: Its stamp.
        pixels: Share of pixels of another class.
        pq: Panoptic quality of B against A, 0 to 1.
        lost: Objects of A that B lacks.
        appeared: Objects of B that A lacks.
        objects: Objects of A.
        id_changes: Objects that keep their id in A and change it in B.
        drivable: Share of pixels that only one side calls drivable, None where not known.
        drivable_near: The same near the vehicle.
    """

    stamp_ns: int
    pixels: float
    pq: float
    lost: int
    appeared: int
    objects: int
    id_changes: int
    drivable: float | None
    drivable_near: float | None


@dataclass
class Difference:
    """Collects the frames of two sides; used by one thread.

    Args:
        names: Class name by index, of both sides.

    Attributes:
        frames: The frames in numbers, in order.
        only_a: Frames that only A has.
        only_b: Frames that only B has.
    """

    names: Sequence[str]
    frames: list[FrameDifference] = field(default_factory=list)
    only_a: int = 0
    only_b: int = 0

    def __post_init__(self) -> None:
        self._categories = tuple(
            Category(number, name, False) for number, name in enumerate(self.names)
        )
        self._score = ImageScore(self._categories)
        self._partner: dict[tuple[int, int], int] = {}
        self._times: tuple[list[float], list[float]] = ([], [])

    def update(self, a: SideFrame, b: SideFrame) -> FrameDifference:
        """Compare one frame.

        Raises:
            ValueError: The two differ in size.
        """
        truth, found = segments_of(a.labels, a.ids), segments_of(b.labels, b.ids)
        alone = ImageScore(self._categories)
        alone.update(truth, found)
        self._score.merge(alone)
        pairs = _same_objects(truth, found)
        objects, there = _objects(truth), _objects(found)
        whole, near = _drivable(a, b)
        frame = FrameDifference(
            a.stamp_ns,
            float(np.mean(a.labels != b.labels)),
            float(np.nan_to_num(alone.result().panoptic.all.pq, nan=1.0)),
            len(objects - pairs.keys()),
            len(there - set(pairs.values())),
            len(objects),
            self._id_changes(pairs),
            whole,
            near,
        )
        if a.latency_ms is not None and b.latency_ms is not None:
            self._times[0].append(a.latency_ms)
            self._times[1].append(b.latency_ms)
        self.frames.append(frame)
        return frame

    def _id_changes(self, pairs: Mapping[int, int]) -> int:
        """Count the objects of A whose partner in B has another id than before."""
        changes = 0
        for a, b in pairs.items():
            key, partner = (a >> 16, a & 0xFFFF), b & 0xFFFF
            changes += self._partner.get(key, partner) != partner
            self._partner[key] = partner
        return changes

    def measures(self) -> dict[str, float]:
        """Sum up what can be limited, in the units of ``MEASURES``; unknown ones are left out."""
        frames = self.frames
        objects = max(1, sum(frame.objects for frame in frames))
        pq = self._score.result().panoptic.all.pq
        found = {
            "pixels": 100 * _mean([frame.pixels for frame in frames]),
            "pq": 100 * (1 - float(np.nan_to_num(pq, nan=1.0))),
            "lost": 100 * sum(frame.lost for frame in frames) / objects,
            "appeared": 100 * sum(frame.appeared for frame in frames) / objects,
            "id_changes": 100 * _mean([float(frame.id_changes) for frame in frames]),
        }
        surface = [frame.drivable for frame in frames if frame.drivable is not None]
        near = [frame.drivable_near for frame in frames if frame.drivable_near is not None]
        if surface:
            found |= {"drivable": 100 * _mean(surface), "drivable_near": 100 * _mean(near)}
        if self._times[0]:
            before, after = (float(np.median(times)) for times in self._times)
            found["latency"] = 100 * (after / before - 1)
        return {name: round(value, 4) for name, value in found.items()}

    def document(self) -> dict[str, Any]:
        """Sum up with JSON types."""
        classes = self._score.result().panoptic.classes
        return {
            "frames": len(self.frames),
            "only_a": self.only_a,
            "only_b": self.only_b,
            "measures": self.measures(),
            "latency_ms": [percentiles(times, decimals=2) for times in self._times if times],
            "classes": [
                {
                    "name": self.names[number],
                    "pq": round(quality.pq, 5),
                    "lost": quality.fn,
                    "appeared": quality.fp,
                    "same": quality.tp,
                }
                for number, quality in sorted(classes.items())
                if quality.occurs
            ],
        }


def segments_of(labels: NDArray[np.uint8], ids: NDArray[np.uint16]) -> Segments:
    """List the segments of a result: each object, and each class without objects.

    Args:
        labels: Class index, 255 void, (H, W).
        ids: Track id, 0 for none, (H, W).

    Returns:
        (class + 1) * 65536 + track id of each pixel, 0 for void, and the segments.
    """
    numbers = labels.astype(np.uint32)
    numbers += 1
    numbers <<= 16
    numbers |= ids
    numbers[labels == VOID] = VOID_ID
    starts, lengths = runs(numbers)
    found, which = np.unique(numbers.ravel()[starts], return_inverse=True)
    areas = np.bincount(which.ravel(), weights=lengths).astype(np.int64)
    return numbers, [
        SegmentInfo(number, (number >> 16) - 1, area, False)
        for number, area in zip(found.tolist(), areas.tolist(), strict=True)
        if number != VOID_ID
    ]


def paired(
    a: Iterator[SideFrame], b: Iterator[SideFrame], difference: Difference
) -> Iterator[tuple[SideFrame, SideFrame]]:
    """Yield the frames of equal stamps of two sides in order; others are counted."""
    left, right = next(a, None), next(b, None)
    while left is not None and right is not None:
        if left.stamp_ns == right.stamp_ns:
            yield left, right
            left, right = next(a, None), next(b, None)
        elif left.stamp_ns < right.stamp_ns:
            difference.only_a += 1
            left = next(a, None)
        else:
            difference.only_b += 1
            right = next(b, None)
    difference.only_a += (left is not None) + sum(1 for _ in a)
    difference.only_b += (right is not None) + sum(1 for _ in b)


def _same_objects(a: Segments, b: Segments) -> dict[int, int]:
    """Pair the objects of one class that lie on each other, by their numbers."""
    shared = intersect(a[0], b[0])
    areas_a = {entry.id: entry.area for entry in a[1]}
    areas_b = {entry.id: entry.area for entry in b[1]}
    pairs = {}
    for one, other, pixels in zip(
        shared.truth.tolist(), shared.predicted.tolist(), shared.pixels.tolist(), strict=True
    ):
        if one >> 16 == other >> 16 and one & 0xFFFF != NO_ID != other & 0xFFFF:
            union = areas_a[one] + areas_b[other] - pixels
            if pixels > SAME_OBJECT * union:
                pairs[one] = other
    return pairs


def _objects(segments: Segments) -> set[int]:
    return {entry.id for entry in segments[1] if entry.id & 0xFFFF != NO_ID}


def _drivable(a: SideFrame, b: SideFrame) -> tuple[float | None, float | None]:
    if a.drivable is None or b.drivable is None:
        return None, None
    differs = (a.drivable > 0) != (b.drivable > 0)
    # Of an image of one row that row is near.
    near = differs[min(round((1 - NEAR) * len(differs)), len(differs) - 1) :]
    return float(differs.mean()), float(near.mean())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
