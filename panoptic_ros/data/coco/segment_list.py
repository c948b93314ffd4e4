# SPDX-License-Identifier: Apache-2.0
"""The segments that a COCO JSON lists for an image, checked."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.data.json_document import MalformedError, entries, whole_number

_ID_END = 1 << 24
"""Segment ids lie below: a colour of three bytes."""


def listed_segments(
    annotation: Mapping[str, Any], where: str, area: int | None = None
) -> tuple[SegmentInfo, ...]:
    """Read the segments of an annotation.

    Args:
        annotation: One of the document's ``annotations``.
        where: Its place, for messages.
        area: What a segment covers that does not say it; None where it has to.

    Raises:
        MalformedError: There is no list of segments, one lacks a field or holds something else
            than whole numbers, or an id is none of a COCO panoptic map or occurs twice.
    """
    plain = _plain_segments(annotation.get("segments_info"), area)
    return _checked_segments(annotation, where, area) if plain is None else plain


def _plain_segments(listed: Any, area: int | None) -> tuple[SegmentInfo, ...] | None:
    """Take all segments at once, as nearly every file says them.

    Returns:
        None where one has to be looked at by itself; then it is right, or its place is named.
    """
    if not isinstance(listed, list) or set(map(type, listed)) - {dict}:
        return None
    ids, categories, areas, crowds = (
        [entry.get(name, missing) for entry in listed]
        for name, missing in (("id", None), ("category_id", None), ("area", area), ("iscrowd", 0))
    )
    if set(map(type, chain(ids, categories, areas, crowds))) - {int} or len(set(ids)) < len(ids):
        return None
    if ids and not 0 < min(ids) <= max(ids) < _ID_END:
        return None
    return tuple(map(SegmentInfo, ids, categories, areas, map(bool, crowds)))


def _checked_segments(
    annotation: Mapping[str, Any], where: str, area: int | None
) -> tuple[SegmentInfo, ...]:
    segments: dict[int, SegmentInfo] = {}
    defaults = {"iscrowd": 0} if area is None else {"iscrowd": 0, "area": area}
    for place, entry in entries(annotation, "segments_info", where + ": "):
        filled = {**defaults, **entry}
        number = whole_number(filled, "id", place)
        if not 0 < number < _ID_END:
            raise MalformedError(f"{place}: id is {number}, needs 1 to {_ID_END - 1}")
        if number in segments:
            raise MalformedError(f"{place}: id {number} occurs twice in this image")
        segments[number] = SegmentInfo(
            id=number,
            category_id=whole_number(filled, "category_id", place),
            area=whole_number(filled, "area", place),
            is_crowd=bool(whole_number(filled, "iscrowd", place)),
        )
    return tuple(segments.values())
