# SPDX-License-Identifier: Apache-2.0
"""One image's annotation whose crowds become objects; no pixel changes its class.

Objects are numbered as in Cityscapes' panoptic files: 1000 times the class's id, plus 1 to 999.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.types import Box
from panoptic_ros.data.crowds.objects import CrowdObject, CrowdRule, SeenObjects, objects_in

IDS_PER_CLASS = 1000
"""An object's id is its class's id times this, plus 1 to 999."""

_IDS = 1 << 24

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class CrowdCounts:
    """What became of the crowds of a class.

    Attributes:
        from_shape: Objects told by their shape.
        from_network: Objects that the network saw.
        without_id: Objects that stay crowd, as their image has used up the ids of the class.
        pixels_before: Of the crowds.
        pixels_after: The same.
    """

    from_shape: int = 0
    from_network: int = 0
    without_id: int = 0
    pixels_before: int = 0
    pixels_after: int = 0

    def __add__(self, other: CrowdCounts) -> CrowdCounts:
        """Add up the counts of two images."""
        pairs = ((getattr(self, one.name), getattr(other, one.name)) for one in fields(self))
        return CrowdCounts(*map(sum, pairs))


@dataclass(frozen=True, eq=False)
class SplitAnnotation:
    """An annotation after its crowds were divided.

    Attributes:
        ids: Segment of each pixel, (H, W).
        entries: Its ``segments_info``: those that were there, without crowds of which nothing is
            left, then the objects.
        counts: By class; classes without a crowd are absent.
    """

    ids: NDArray[np.uint32]
    entries: list[Entry]
    counts: dict[str, CrowdCounts]

    @property
    def is_changed(self) -> bool:
        """Whether a crowd became an object."""
        return any(one.from_shape or one.from_network for one in self.counts.values())


def split_annotation(
    ids: NDArray[np.uint32],
    entries: Sequence[Entry],
    listed: Sequence[SegmentInfo],
    rules: Mapping[int, CrowdRule],
    seen: SeenObjects,
) -> SplitAnnotation:
    """Give the crowds of an image objects.

    Args:
        ids: Segment of each pixel, (H, W); not written to.
        entries: The ``segments_info`` of the file; what is unknown in them stays.
        listed: The same, parsed, in the same order.
        rules: By category id; crowds of other classes stay.
        seen: What a network sees in the image.
    """
    ids = ids.copy()
    used = set(np.unique(ids).tolist()) | {segment.id for segment in listed}
    kept: list[Entry] = []
    added: list[Entry] = []
    counts: dict[str, CrowdCounts] = {}
    for entry, segment in zip(entries, listed, strict=True):
        rule = rules.get(segment.category_id) if segment.is_crowd else None
        if rule is None:
            kept.append(entry)
            continue
        objects, count = _split(ids, segment, rule, seen, used)
        added += objects
        if not objects:
            kept.append(entry)
        elif count.pixels_after:
            kept.append(_shrunk(entry, ids == segment.id))
        counts[rule.name] = counts.get(rule.name, CrowdCounts()) + count
    return SplitAnnotation(ids, kept + added, counts)


def _split(
    ids: NDArray[np.uint32],
    crowd: SegmentInfo,
    rule: CrowdRule,
    seen: SeenObjects,
    used: set[int],
) -> tuple[list[Entry], CrowdCounts]:
    """Write the objects of one crowd into the map."""
    mask = ids == crowd.id
    numbers = _free_ids(crowd.category_id, used)
    entries: list[Entry] = []
    origins = {"shape": 0, "network": 0}
    without_id = 0
    for found in objects_in(mask, rule, seen):
        number = next(numbers, None)
        if number is None:
            without_id += 1
            continue
        used.add(number)
        x0, y0, x1, y1 = found.box
        ids[y0:y1, x0:x1][found.mask] = number
        entries.append(_entry(number, crowd.category_id, found))
        origins[found.origin] += 1
    before = int(mask.sum())
    after = before - sum(entry["area"] for entry in entries)
    count = CrowdCounts(origins["shape"], origins["network"], without_id, before, after)
    return entries, count


def _free_ids(category_id: int, used: AbstractSet[int]) -> Iterator[int]:
    first = category_id * IDS_PER_CLASS
    numbers = range(first + 1, min(first + IDS_PER_CLASS, _IDS))
    return (number for number in numbers if number not in used)


def _entry(number: int, category_id: int, found: CrowdObject) -> Entry:
    return {
        "id": number,
        "category_id": category_id,
        "area": int(found.mask.sum()),
        "bbox": _as_list(found.box),
        "iscrowd": 0,
    }


def _shrunk(entry: Entry, left: NDArray[np.bool_]) -> Entry:
    """Say what is left of a crowd."""
    return {**entry, "area": int(left.sum()), "bbox": _as_list(mask_box(left))}


def _as_list(box: Box) -> list[int]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]
