# SPDX-License-Identifier: Apache-2.0
"""Many bags summed up: hours, objects an hour, failures by reason, the hardest frames of all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from panoptic_ros.fleet.bag_report import FAILED, OK, BagReport
from panoptic_ros.fleet.summary import (
    MOST_HARD,
    MOST_SLOW,
    FleetSummary,
    HardFrame,
    image_name,
    to_csv,
    to_tasks,
)

FRONT, REAR = "/front/image", "/rear/image"


def camera(class_s: dict[str, float], **more: Any) -> dict[str, Any]:
    return {"class_s": class_s, "objects": {}, "hard_frames": {}, **more}


def bag(name: str, **values: Any) -> BagReport:
    return BagReport(f"file:///drives/{name}.mcap", f"{name}-1", **{"status": OK, **values})


def hard(**kinds: list[tuple[int, float]]) -> dict[str, list[dict[str, float]]]:
    """Entries (stamp_ns, value) by kind, as a manifest has them."""
    return {
        kind: [{"stamp_ns": stamp, "value": value} for stamp, value in entries]
        for kind, entries in kinds.items()
    }


def summed(*reports: BagReport) -> FleetSummary:
    summary = FleetSummary()
    for report in reports:
        summary.add(report)
    return summary


def test_hours_and_objects_an_hour_are_those_of_all_cameras_of_all_bags() -> None:
    cameras = {
        FRONT: camera({"road": 1800.0, "sky": 360.0}, objects={"car": 3}),
        REAR: camera({"road": 720.0}, objects={"car": 1, "person": 1}),
    }
    one = bag("a", frames=10, recorded_s=7200.0, seconds=1800.0, cameras=cameras)
    other = bag("b", frames=5, recorded_s=1800.0, cameras={FRONT: camera({"sky": 3600.0})})
    told = summed(one, other, bag("c", status=FAILED, error="full")).document()
    assert told["bags"] == {"failed": 1, "ok": 2}
    assert (told["frames"], told["hours"], told["labelling_hours"]) == (15, 2.5, 0.5)
    assert list(told["class_hours"].items()) == [("sky", 1.1), ("road", 0.7)]
    assert told["objects_per_hour"] == {"car": 1.6, "person": 0.4}


def test_without_any_recorded_time_there_are_no_objects_an_hour() -> None:
    told = summed(bag("a", cameras={FRONT: camera({}, objects={"car": 2})})).document()
    assert told["objects_per_hour"] == {"car": 0.0}


def test_a_row_has_what_its_bag_has_and_else_nothing() -> None:
    cameras = {FRONT: camera({"road": 1800.0}, objects={"car": 3}), REAR: camera({"road": 900.0})}
    rows = summed(
        bag("a", frames=10, skipped={"dark": 2, "torn": 1}, cameras=cameras), bag("b")
    ).rows
    head, first, second = to_csv(rows).splitlines()
    entries = dict(zip(head.split(","), first.split(","), strict=True))
    assert (entries["id"], entries["frames"], entries["skipped"]) == ("a-1", "10", "3")
    assert (entries["hours road"], entries["objects car"]) == ("0.75", "3")
    assert second.endswith(",,")


@pytest.mark.parametrize("path", ["file:///drives/a.mcap", "/drives/a.mcap", "a.mcap"])
def test_failures_of_one_reason_are_one_whatever_the_bag_is_called(path: str) -> None:
    other = bag("b", status=FAILED, error="b.mcap: no images in it")
    summary = summed(bag("a", status=FAILED, error=f"{path}: no images in it"), other)
    assert summary.document()["failures"] == {"no images in it": 2}


def test_a_long_reason_is_cut_and_only_failures_have_one() -> None:
    summary = summed(bag("a", status=FAILED, error="x" * 200), bag("b", error="was partial"))
    assert summary.document()["failures"] == {"x" * 160: 1}


def test_the_slowest_bags_are_those_of_most_seconds_a_frame() -> None:
    quick, slow = bag("a", frames=100, seconds=50.0), bag("b", frames=10, seconds=20.0)
    empty = bag("c", seconds=90.0)
    ids = [row["id"] for row in summed(quick, empty, slow).slowest()]
    assert ids == ["b-1", "a-1"]
    many = [replace(slow, id=str(number)) for number in range(MOST_SLOW + 3)]
    assert len(summed(*many).slowest()) == MOST_SLOW


def test_the_hardest_frames_are_the_least_sure_and_those_that_changed_most() -> None:
    entries = hard(uncertain=[(1, 0.9), (2, 0.4)], id_changes=[(3, 1), (4, 5)], flicker=[(5, 0.2)])
    summary = summed(bag("a", cameras={FRONT: camera({}, hard_frames=entries)}))
    found = [(one.rank, one.kind, one.value, one.stamp_ns) for one in summary.hard_frames()]
    assert found == [
        (0, "flicker", 0.2, 5),
        (0, "id_changes", 5, 4),
        (0, "uncertain", 0.4, 2),
        (1, "id_changes", 1, 3),
        (1, "uncertain", 0.9, 1),
    ]


@pytest.mark.parametrize("kind", ["uncertain", "id_changes", "flicker", "disagreement"])
def test_of_many_hard_frames_the_hardest_are_kept(kind: str) -> None:
    summary, report = FleetSummary(), bag("a")
    for number in range(10 * MOST_HARD):
        summary.add_hard(kind, float(number), report, FRONT, number)
    values = [frame.value for frame in summary.hard_frames()]
    hardest = range(10 * MOST_HARD)[: -MOST_HARD - 1 : -1]
    assert values == list(range(MOST_HARD) if kind == "uncertain" else hardest)


def test_a_task_says_where_its_frame_is_and_why() -> None:
    frame = HardFrame(0, "flicker", 0.25, "s3://drives/a.mcap", "a-1", "/front/image", 17)
    (task,) = json.loads(to_tasks([frame]))
    assert image_name(frame) == "a-1-front_image-17.jpg"
    assert task == {
        "data": {
            "bag": "s3://drives/a.mcap",
            "topic": "/front/image",
            "stamp_ns": "17",
            "image": "triage/a-1-front_image-17.jpg",
        },
        "meta": {"reason": "flicker", "value": 0.25},
    }
