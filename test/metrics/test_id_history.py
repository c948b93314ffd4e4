# SPDX-License-Identifier: Apache-2.0
"""What became of every object, frame by frame."""

from __future__ import annotations

import numpy as np

from panoptic_ros.metrics.id_history import IdHistory, Span
from panoptic_ros.metrics.object_tracking import ObjectTracking
from test.drawn.drawn_panoptic import ids
from test.drawn.drawn_sequence import noisy_sequences


def id_histories(*frames: tuple[str, str]) -> list[IdHistory]:
    """Follow the objects of frames of (truth, prediction); a digit is an id."""
    metric = ObjectTracking()
    for truth, predicted in frames:
        metric.update(ids(truth), ids(predicted), "drive")
    return metric.id_histories()["drive"]


def test_an_object_that_keeps_its_id_has_one_stretch() -> None:
    assert id_histories(("33", "55"), ("33", "55")) == [IdHistory(3, (Span(0, 1, 5),), ())]


def test_a_switch_starts_another_stretch() -> None:
    (history,) = id_histories(("33", "55"), ("33", "66"), ("33", "66"))
    assert history == IdHistory(3, (Span(0, 0, 5), Span(1, 2, 6)), (1,))
    assert history.frames == 3


def test_being_missed_is_a_stretch_and_no_switch() -> None:
    (history,) = id_histories(("33", "55"), ("33", ".."), ("33", "55"))
    assert history == IdHistory(3, (Span(0, 0, 5), Span(1, 1, 0), Span(2, 2, 5)), ())


def test_a_switch_over_a_gap_is_where_the_object_is_found_again() -> None:
    (history,) = id_histories(("33", "55"), ("33", ".."), ("33", "66"))
    assert history.switches == (2,)


def test_an_absent_object_has_a_gap() -> None:
    (history,) = id_histories(("33", "55"), ("..", "55"), ("33", "55"))
    assert history.spans == (Span(0, 0, 5), Span(2, 2, 5))
    assert history.frames == 2


def test_switches_are_as_many_as_the_score_counts() -> None:
    metric = ObjectTracking()
    for seed in range(6):
        for number, step in enumerate(noisy_sequences(seed, frames=20)):
            swapped = np.where(step.ids > 0, 8 - step.ids, 0) if number % 3 else step.ids
            metric.update(step.truth_ids, swapped, f"{seed}{step.sequence}")
    counted = metric.result().clear.id_switches
    found = [history for group in metric.id_histories().values() for history in group]
    assert sum(len(history.switches) for history in found) == counted > 0
