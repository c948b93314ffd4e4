# SPDX-License-Identifier: Apache-2.0
"""What a drive says about itself: seconds of classes, objects, frames to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Drivable, Frame, Track
from panoptic_ros.fleet.figures import CameraFigures, changed_ids
from test.drawn.drawings import CAR, LABELS, PERSON, scene

SECOND_NS = 1_000_000_000


def result(
    stamp_s: float, rows: str, sure: int = 230, voted: Mapping[int, int] | None = None
) -> Result:
    """A frame as ``scene`` draws it; an object's track id is its digit, ``voted`` its class."""
    panoptic = scene(*rows.split())
    panoptic.confidence[:] = sure
    numbers = sorted({int(one) for one in rows if one.isdigit()})
    tracks = tuple(
        Track(number, segment, (voted or {}).get(number, CAR), 0.9, 0)
        for number, segment in zip(numbers, panoptic.segments, strict=True)
    )
    image = np.zeros((*panoptic.ids.shape, 3), np.uint8)
    nowhere = Drivable(panoptic.ids > 99, panoptic.confidence, np.zeros(image.shape[1], np.int32))
    return Result(Frame(image, round(stamp_s * SECOND_NS)), panoptic, tracks, nowhere)


def figures(*results: Result) -> dict[str, Any]:
    found = CameraFigures(LABELS)
    for one in results:
        found.add(one)
    return found.to_json()


def test_a_class_is_seen_for_the_time_since_the_frame_before() -> None:
    told = figures(result(1.0, "rrss"), result(1.4, "rrss"), result(2.0, "rrrr"))
    assert told["class_s"] == {"road": 1.0, "sky": 0.4}
    assert (told["frames"], told["recorded_s"]) == (3, 1.0)
    assert told["first_stamp_ns"] == SECOND_NS


def test_a_pause_counts_as_a_second_and_a_jump_back_as_nothing() -> None:
    assert figures(result(1.0, "r"), result(9.0, "r"))["class_s"] == {"road": 1.0}
    assert figures(result(9.0, "r"), result(1.0, "r"))["class_s"] == {"road": 0.0}


@pytest.mark.parametrize(("width", "is_seen"), [(1000, True), (1001, False)])
def test_a_class_of_a_thousandth_of_the_image_is_seen(width: int, is_seen: bool) -> None:
    rows = "s" + "r" * (width - 1)
    seconds = figures(result(1.0, rows), result(1.5, rows))["class_s"]
    assert ("sky" in seconds) is is_seen


def test_an_object_counts_once_with_the_class_it_had_last() -> None:
    told = figures(result(1.0, "1122"), result(1.1, "1122", voted={2: PERSON}))
    assert told["objects"] == {"car": 1, "person": 1}


def test_confidence_is_the_mean_over_pixels_and_frames() -> None:
    told = figures(result(1.0, "rr", 255), result(1.1, "rr", 51))
    assert told["mean_confidence"] == 0.6
    assert figures()["mean_confidence"] == 0.0


def test_of_uncertain_frames_the_five_least_sure_are_kept() -> None:
    levels = (204, 51, 102, 255, 153, 0, 230)
    told = figures(*(result(1.0 + place, "r", sure) for place, sure in enumerate(levels)))
    kept = told["hard_frames"]["uncertain"]
    assert [one["stamp_ns"] // SECOND_NS for one in kept] == [6, 2, 3, 5, 1]
    assert [one["value"] for one in kept] == [0.0, 0.2, 0.4, 0.6, 0.8]


def test_of_frames_as_uncertain_as_each_other_the_first_are_kept() -> None:
    told = figures(*(result(number, "r", 51) for number in range(1, 9)))
    stamps = [one["stamp_ns"] // SECOND_NS for one in told["hard_frames"]["uncertain"]]
    assert stamps == [1, 2, 3, 4, 5]


def test_flicker_is_the_share_of_pixels_whose_class_changed() -> None:
    told = figures(result(1.0, "rrss"), result(2.0, "rsss"), result(3.0, "rsss"))
    assert told["hard_frames"]["flicker"] == [
        {"stamp_ns": 2 * SECOND_NS, "value": 0.25},
        {"stamp_ns": 3 * SECOND_NS, "value": 0.0},
    ]


def test_ids_that_changed_are_counted_and_their_frames_kept() -> None:
    told = figures(result(1.0, "1122"), result(2.0, "3344"), result(3.0, "3344"))
    assert told["id_changes"] == 2
    assert told["hard_frames"]["id_changes"] == [{"stamp_ns": 2 * SECOND_NS, "value": 2}]


def test_frames_of_another_size_are_not_compared() -> None:
    told = figures(result(1.0, "11"), result(2.0, "2222"))
    assert told["id_changes"] == 0
    assert told["hard_frames"]["flicker"] == []


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        pytest.param("1100", "1100", 0, id="the same"),
        pytest.param("1100", "2200", 1, id="another id"),
        pytest.param("1100", "0220", 1, id="half of it where another one was"),
        pytest.param("1100", "0222", 0, id="less than half"),
        pytest.param("1120", "2200", 1, id="one that was elsewhere"),
        pytest.param("1100", "2210", 0, id="one that is still there"),
        pytest.param("0000", "2200", 0, id="where none was"),
        pytest.param("1122", "3344", 2, id="two"),
    ],
)
def test_an_object_where_another_one_was_whose_id_is_gone(
    before: str, after: str, count: int
) -> None:
    maps = [np.array([[int(one) for one in row]], np.uint16) for row in (before, after)]
    assert changed_ids(*maps) == count
