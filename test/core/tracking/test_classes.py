# SPDX-License-Identifier: Apache-2.0
"""The class of an object, as its frames vote for it, on drawn scenes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.types import VOID, Panoptic
from test.drawn.drawings import CAR, PERSON, scene
from test.drawn.follower import FRAME_NS, track_ids


def test_the_class_is_voted_over_the_life(tracker: Tracker) -> None:
    for number, label in enumerate([CAR, CAR, PERSON]):
        tracks = tracker.update(scene("1111", classes={1: label}), (number + 1) * FRAME_NS)
    assert [(track.label, track.segment.label) for track in tracks] == [(CAR, PERSON)]


@pytest.mark.parametrize("order", [(CAR, PERSON), (PERSON, CAR)])
def test_of_classes_with_equal_votes_the_lowest_is_the_tracks(
    tracker: Tracker, order: tuple[int, int]
) -> None:
    for number, label in enumerate(order):
        (track,) = tracker.update(scene("1111", classes={1: label}), (number + 1) * FRAME_NS)
    assert track.label == min(CAR, PERSON)


def test_the_probabilities_are_voted_over_the_life(tracker: Tracker) -> None:
    for number, label in enumerate([CAR, CAR, PERSON]):
        frame = scene("1111", classes={1: label}, scores={1: 0.6})
        (track,) = tracker.update(frame, (number + 1) * FRAME_NS)
    assert track.score == pytest.approx(0.6)
    assert track.probabilities == pytest.approx({CAR: 0.6, PERSON: 0.3, VOID: 0.1})


def test_a_part_of_another_class_counts_in_every_frame(tracker: Tracker) -> None:
    frame = scene("1111", scores={1: 0.6})
    divided = replace(frame.segments[0], votes=((CAR, 0.75), (PERSON, 0.25)))
    for number in range(3):
        (track,) = tracker.update(replace(frame, segments=(divided,)), (number + 1) * FRAME_NS)
    assert track.probabilities == pytest.approx({CAR: 0.6, PERSON: 0.2, VOID: 0.2})
    (track,) = tracker.update(scene("1111", scores={1: 0.6}), 4 * FRAME_NS)
    assert track.probabilities[PERSON] == pytest.approx(0.6 * 3 * 0.2 / (4 * 0.6))


def test_classes_that_are_confused_are_one_object_and_others_are_not() -> None:
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    car, truck, person = (labels.index(name) for name in ("car", "truck", "person"))
    for label, ids in ((truck, [[1], [1]]), (person, [[1], [2]])):
        tracker = Tracker(TrackConfig(), labels)
        # The masks overlap by a third: enough within a group.
        frames = scene("1111....", classes={1: car}), scene("..1111..", classes={1: label})
        assert track_ids(tracker, *frames) == ids


HALVES = (scene("1111111111"), scene("1111122222"))


# A bracket, then two squares within that share no pixel with it and are as far from its middle.
SQUARES = (
    scene(*["." * 12] * 2, *["..1" + "." * 9] * 7, "..11111111..", *["." * 12] * 2, scale=2),
    scene(
        *["." * 12] * 2,
        *["....1111...."] * 2,
        *["....111122.."] * 2,
        *["......2222.."] * 2,
        *["." * 12] * 4,
        scale=2,
    ),
)


@pytest.mark.parametrize("frames", [HALVES, SQUARES], ids=["by masks", "by boxes"])
@pytest.mark.parametrize("other", [1, 2])
def test_of_two_that_fit_alike_the_one_of_the_same_class_is_the_object(
    frames: tuple[Panoptic, Panoptic], other: int
) -> None:
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    car, truck = labels.index("car"), labels.index("truck")
    before, after = (
        replace(
            frame,
            segments=tuple(
                replace(one, label=truck if turn and one.id == other else car)
                for one in frame.segments
            ),
        )
        for turn, frame in enumerate(frames)
    )
    ids = track_ids(Tracker(TrackConfig(), labels), before, after)
    assert ids == [[1], [2, 1] if other == 1 else [1, 2]]
