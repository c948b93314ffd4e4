# SPDX-License-Identifier: Apache-2.0
"""Object tracking scores: drawn sequences, and TrackEval's scores of fixed noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.metrics.frame_matches import match_frame
from panoptic_ros.metrics.object_tracking import ObjectTracking, ObjectTrackingResult
from test.drawn.drawn_panoptic import ids
from test.drawn.drawn_sequence import noisy_sequences


def score(*frames: tuple[str, str]) -> ObjectTrackingResult:
    """Score frames of (truth, prediction); a digit is an id."""
    metric = ObjectTracking()
    for truth, predicted in frames:
        metric.update(ids(truth), ids(predicted))
    return metric.result()


def test_objects_that_keep_their_ids_score_one() -> None:
    found = score(("1122", "5566"), ("1122", "5566"))
    assert found.clear.smotsa == found.hota.hota == found.identity.idf1 == 1.0


def test_a_switch_is_counted_once() -> None:
    found = score(("11", "55"), ("11", "66"), ("11", "66"))
    assert found.clear.id_switches == 1
    assert found.clear.motsa == pytest.approx((3 - 1) / 3)
    assert found.identity.idf1 == pytest.approx(2 / 3)


def test_an_id_that_returns_after_a_gap_is_no_switch() -> None:
    assert score(("11", "55"), ("11", ".."), ("11", "55")).clear.id_switches == 0


def test_an_object_lost_among_others_is_taken_up_again() -> None:
    found = score(("1122", "5566"), ("1122", "55.."), ("1122", "5566"))
    assert found.clear.fragments == 1
    assert (found.clear.mostly_tracked, found.clear.partly_tracked) == (1, 1)


def test_a_pair_that_still_overlaps_is_kept_although_another_would_fit_better() -> None:
    found = score(("1111", "5555"), ("1111", "5566"), ("1111", "5566"))
    assert found.clear.id_switches == 0


def test_a_match_counts_by_its_overlap() -> None:
    found = score(("1111", "555."))
    assert found.clear.smotsa == found.clear.motsp == pytest.approx(3 / 4)
    assert found.clear.motsa == 1.0


@pytest.mark.parametrize(("predicted", "motsa"), [("55..", 1.0), ("5...", -1.0)])
def test_half_of_an_object_is_enough_to_find_it(predicted: str, motsa: float) -> None:
    found = score(("1111", predicted))
    assert found.clear.motsa == motsa
    assert found.identity.idf1 == (motsa > 0)


def test_more_mistakes_than_objects_are_below_zero() -> None:
    assert score(("1...", ".567")).clear.motsa == -3.0


def test_hota_is_the_mean_over_its_thresholds() -> None:
    # An IoU of 0.75 passes the 15 thresholds 0.05 to 0.75 of 19.
    assert score(("1111", "555.")).hota.hota == pytest.approx(15 / 19)


def ignoring(truth: str, predicted: str, ignored: str) -> list[int]:
    seen = match_frame(ids(truth), ids(predicted), ids(ignored) > 0)
    return seen.predicted.tolist()


@pytest.mark.parametrize(
    ("truth", "predicted", "ignored", "kept"),
    [
        pytest.param("....", "1111", "111.", [], id="mostly in the region"),
        pytest.param("....", "1111", "11..", [1], id="half in the region"),
        pytest.param("1111", "1111", "1111", [1], id="matched all the same"),
        pytest.param("11..", ".222", ".111", [], id="overlaps too little to match"),
        pytest.param("1111", "22..", "11..", [2], id="overlaps by half, which matches"),
        pytest.param("....", "1122", "11..", [2], id="one of two"),
    ],
)
def test_predictions_in_ignored_regions_are_left_out(
    truth: str, predicted: str, ignored: str, kept: list[int]
) -> None:
    assert ignoring(truth, predicted, ignored) == kept


Frame = tuple[NDArray[np.uint16], NDArray[np.uint16], str]


def noisy_frames(seed: int) -> Iterator[Frame]:
    """The noisy sequences; halfway two ids are swapped."""
    swapped = np.array([0, 2, 1, 3, 4, 5, 6, 7], np.uint16)
    for number, step in enumerate(noisy_sequences(seed, frames=12)):
        yield step.truth_ids, step.ids if number < 6 else swapped[step.ids], step.sequence


REFERENCE = [
    (
        0,
        [0.156413241694, 0.444444444444, 0.695025785324],
        4,
        [0.464538870966, 0.491911310393, 0.457445737334],
        0.547619047619,
    ),
    (
        1,
        [0.270111315095, 0.555555555556, 0.714555759539],
        4,
        [0.479106533565, 0.520932838429, 0.454659977537],
        0.571428571429,
    ),
    (
        2,
        [0.200807724481, 0.444444444444, 0.742031708274],
        4,
        [0.489077301631, 0.532451363689, 0.464013158138],
        0.571428571429,
    ),
    (
        3,
        [0.230512199363, 0.5, 0.722812547916],
        4,
        [0.490134853276, 0.531816197308, 0.473086162985],
        0.571428571429,
    ),
]
"""sMOTSA, MOTSA and MOTSP; id switches; HOTA, DetA and AssA; IDF1, computed with TrackEval 1.3.0,
both sequences combined."""


@pytest.mark.parametrize(("seed", "accuracy", "switches", "hota", "idf1"), REFERENCE)
def test_equals_trackeval(
    seed: int, accuracy: list[float], switches: int, hota: list[float], idf1: float
) -> None:
    metric = ObjectTracking()
    for truth, predicted, sequence in noisy_frames(seed):
        metric.update(truth, predicted, sequence)
    found = metric.result()
    clear = [found.clear.smotsa, found.clear.motsa, found.clear.motsp]
    assert clear == pytest.approx(accuracy, rel=0, abs=1e-9)
    assert found.clear.id_switches == switches
    means = [found.hota.hota, found.hota.detection, found.hota.accuracy]
    assert means == pytest.approx(hota, rel=0, abs=1e-9)
    assert found.identity.idf1 == pytest.approx(idf1, rel=0, abs=1e-9)


def test_merged_sequences_equal_the_whole() -> None:
    whole, first, second = ObjectTracking(), ObjectTracking(), ObjectTracking()
    for truth, predicted, sequence in noisy_frames(6):
        whole.update(truth, predicted, sequence)
        (first if sequence == "a" else second).update(truth, predicted, sequence)
    first.merge(second)
    assert first.result().clear == whole.result().clear
    assert first.result().identity == whole.result().identity
    assert first.result().hota.hota == whole.result().hota.hota


def test_frames_of_one_sequence_cannot_be_merged() -> None:
    first, second = ObjectTracking(), ObjectTracking()
    for metric in (first, second):
        metric.update(ids("11"), ids("11"), "drive")
    with pytest.raises(ValueError, match="both parts have frames of drive"):
        first.merge(second)


def test_without_frames_nothing_is_found() -> None:
    found = ObjectTracking().result()
    assert (found.clear.tp, found.identity.idf1, found.hota.hota) == (0, 0.0, 0.0)


def test_reset_forgets() -> None:
    metric = ObjectTracking()
    metric.update(ids("11"), ids("11"))
    metric.reset()
    assert metric.result().clear.tp == 0
