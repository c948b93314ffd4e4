# SPDX-License-Identifier: Apache-2.0
"""Drivable surface on drawn images, one score at a time."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.drivable.free_space import free_space_boundary
from panoptic_ros.core.types import Drivable
from panoptic_ros.metrics.drivable_quality import (
    DrivableQuality,
    DrivableResult,
    flat_ground_rows,
)

LABELS = LabelSet(
    "drawn",
    (
        Label(0, "road", False, True, (0, 0, 0)),
        Label(1, "sidewalk", False, False, (1, 1, 1), is_pavement=True),
        Label(2, "car", True, False, (2, 2, 2)),
        Label(3, "sky", False, False, (3, 3, 3)),
        Label(4, "person", True, False, (4, 4, 4)),
    ),
)
CLASS_OF = {"r": 0, "p": 1, "s": 3, ".": 255}


def labels_of(*rows: str) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Draw the truth: r road, p pavement, s sky, a digit a car, a dot unknown."""
    labels = [[CLASS_OF.get(mark, 2) for mark in row] for row in rows]
    ids = [[int(mark) if mark.isdigit() else 0 for mark in row] for row in rows]
    return np.array(labels, np.uint8), np.array(ids, np.uint16)


def surface(*rows: str) -> Drivable:
    """Draw a surface: a hash is sure, a digit is sure to that many tenths, a dot is none."""
    levels = [
        [255 if mark == "#" else round(25.5 * int(mark.replace(".", "0"))) for mark in row]
        for row in rows
    ]
    confidence = np.array(levels, np.uint8)
    mask = confidence > 0
    return Drivable(mask, confidence, free_space_boundary(mask))


def score(
    truth: tuple[str, ...],
    predicted: tuple[str, ...],
    near: float = 0.5,
    rows_m: NDArray[np.float64] | None = None,
) -> DrivableResult:
    metric = DrivableQuality(LABELS, near)
    metric.update(*labels_of(*truth), surface(*predicted), rows_m=rows_m)
    return metric.result()


def test_a_perfect_surface_scores_one_and_makes_no_mistake() -> None:
    found = score(("ssss", "p11r", "prrr"), ("....", "...#", ".###"))
    assert (found.iou, found.precision, found.recall, found.max_f) == (1, 1, 1, 1)
    assert (found.false_drivable, found.missed_obstacles, found.boundary_px) == (0, 0, 0)


def test_overlap_precision_and_recall() -> None:
    found = score(("rrrp",), (".###",))
    assert found.iou == pytest.approx(2 / 4)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)


def test_unknown_truth_is_left_out() -> None:
    assert score(("rr..",), ("####",)).iou == 1.0


def test_max_f_finds_the_threshold_that_pays_most() -> None:
    found = score(("rrrpp",), ("98775",))
    # Above 0.5 three of four are right and none is missing; above 0.7 a road pixel is.
    assert found.max_f == pytest.approx(2 * 3 / (4 + 3))
    # The pavement at 0.5 has level 128 of 255; the next one is the least that leaves it out.
    assert found.max_f_confidence == pytest.approx(129 / 255)


def test_without_any_surface_there_is_no_best_threshold() -> None:
    found = score(("pps1",), ("98.#",))
    assert math.isnan(found.max_f)
    assert found.max_f_confidence == 0.0


def test_of_equally_good_thresholds_the_least_is_told() -> None:
    found = score(("rr",), ("##",))
    assert (found.max_f, found.max_f_confidence) == (1.0, 1 / 255)


def test_a_surface_that_is_never_predicted_has_no_good_threshold() -> None:
    found = score(("rrp",), ("...",))
    assert (found.max_f, found.max_f_confidence) == (0.0, 1 / 255)


def test_confidence_outside_of_the_surface_counts_for_no_threshold() -> None:
    mask = np.array([[True, False, False]])
    confidence = np.array([[100, 200, 200]], np.uint8)
    metric = DrivableQuality(LABELS)
    metric.update(*labels_of("rrp"), Drivable(mask, confidence, free_space_boundary(mask)))
    found = metric.result()
    # One of two road pixels, and no pavement.
    assert found.max_f == pytest.approx(2 / 3)
    assert found.max_f_confidence == 1 / 255


def test_a_surface_without_confidence_is_none_to_any_threshold() -> None:
    mask, confidence = np.array([[True, True]]), np.array([[0, 255]], np.uint8)
    metric = DrivableQuality(LABELS)
    metric.update(*labels_of("rr"), Drivable(mask, confidence, free_space_boundary(mask)))
    found = metric.result()
    assert (found.recall, found.max_f) == (1.0, pytest.approx(2 / 3))


def test_false_drivable_counts_obstacles_and_pavement_but_not_sky() -> None:
    found = score(("sspp", "11rr"), ("##.#", "#.##"), near=0.5)
    assert found.false_drivable == pytest.approx(2 / 4)
    assert found.false_drivable_near == pytest.approx(1 / 2)


def test_an_obstacle_is_missed_when_more_than_half_of_it_is_drivable() -> None:
    found = score(("1122rr33",), ("#.####..",))
    assert found.obstacles == 3
    assert found.missed_obstacles == pytest.approx(1 / 3)


def test_objects_of_two_classes_that_share_a_number_are_two_obstacles() -> None:
    """Cityscapes and KITTI-STEP count the objects of every class for themselves."""
    labels = np.array([[2, 2, 2, 2, 4, 0]], np.uint8)
    ids = np.array([[1, 1, 1, 1, 1, 0]], np.uint16)
    metric = DrivableQuality(LABELS)
    metric.update(labels, ids, surface("....##"))
    found = metric.result()
    assert (found.obstacles, found.missed_obstacles) == (2, 0.5)


@pytest.mark.parametrize(
    ("truth", "predicted", "error"),
    [
        pytest.param(("s", "r", "r"), (".", ".", "#"), 1.0, id="one row too near"),
        pytest.param(("s", "s", "r"), ("#", "#", "#"), 2.0, id="beyond the image"),
        pytest.param(("s", "r", "."), (".", "#", "."), 0.0, id="the own bonnet is passed over"),
        pytest.param(("r", "s", "r"), ("#", ".", "#"), 0.0, id="only the first obstacle counts"),
        pytest.param((".", "r", "r"), (".", ".", "#"), math.nan, id="unknown truth says nothing"),
    ],
)
def test_boundary_of_a_column(
    truth: tuple[str, ...], predicted: tuple[str, ...], error: float
) -> None:
    assert score(truth, predicted).boundary_px == pytest.approx(error, nan_ok=True)


def test_the_boundary_is_a_mean_over_columns() -> None:
    found = score(("ss", "rr", "rr"), ("..", ".#", "##"))
    assert found.boundary_px == pytest.approx(1 / 2)


def test_the_boundary_in_metres_is_that_of_the_ground() -> None:
    rows_m = np.array([math.inf, 20.0, 5.0])
    found = score(("srs", "ssr", "rrr"), ("...", ".#.", "###"), rows_m=rows_m)
    # Left agrees. In the middle the true boundary lies on the horizon. Right: rows 0 and 1.
    assert found.boundary_m == pytest.approx(0.0)
    assert score(("s", "s", "s"), (".", ".", "#"), rows_m=rows_m).boundary_m == pytest.approx(15)


def test_flat_ground_is_farther_the_nearer_the_horizon() -> None:
    rows = flat_ground_rows(4, focal_px=100.0, horizon_px=1.0, camera_height_m=1.5)
    assert rows.tolist() == pytest.approx([math.inf, 300.0, 100.0, 60.0])


def flicker(*frames: tuple[str, str]) -> float:
    metric = DrivableQuality(LABELS)
    for truth, predicted in frames:
        metric.update(*labels_of(truth), surface(predicted), sequence="drive")
    return metric.result().flicker


@pytest.mark.parametrize(
    ("frames", "share"),
    [
        pytest.param([("rrrr", "###.")] * 3, 0.0, id="wrong but steady"),
        pytest.param([("rrrr", "####"), ("rrrr", "##..")], 0.5, id="half of it changes"),
        pytest.param([("rrrr", "####"), ("rr11", "##..")], 0.0, id="with its reason"),
        pytest.param([("rr..", "####"), ("rr..", "##..")], 0.0, id="where nobody knows"),
        pytest.param([("rrrr", "####")], math.nan, id="one frame"),
        pytest.param([("rrrr", "####"), ("rr", "..")], math.nan, id="another size"),
    ],
)
def test_flicker(frames: list[tuple[str, str]], share: float) -> None:
    assert flicker(*frames) == pytest.approx(share, nan_ok=True)


def test_sequences_flicker_apart() -> None:
    metric = DrivableQuality(LABELS)
    for name, predicted in (("a", "##"), ("b", ".."), ("a", "##"), ("b", "..")):
        metric.update(*labels_of("rr"), surface(predicted), sequence=name)
    assert metric.result().flicker == 0.0


def test_merged_parts_equal_the_whole_and_reset_forgets() -> None:
    frames = [("rr1p", "#.##"), ("rrss", "####"), ("1122", "..##")]
    whole, part, other = (DrivableQuality(LABELS) for _ in range(3))
    for number, (truth, predicted) in enumerate(frames):
        whole.update(*labels_of(truth), surface(predicted))
        (part if number else other).update(*labels_of(truth), surface(predicted))
    part.merge(other)
    assert values(part.result()) == pytest.approx(values(whole.result()), nan_ok=True)
    part.reset()
    assert part.result().obstacles == 0
    assert math.isnan(part.result().iou)


def values(result: DrivableResult) -> list[float]:
    return [getattr(result, entry.name) for entry in fields(result)]


@pytest.mark.parametrize("sizes", [(2, 2, 3), (2, 3, 3), (3, 2, 2), (3, 2, 3)])
def test_refuses_maps_of_different_shape(sizes: tuple[int, int, int]) -> None:
    labels, ids, predicted = (length * "r" for length in sizes)
    words = "shapes differ: \\(1, {}\\), \\(1, {}\\) and \\(1, {}\\)".format(*sizes)
    with pytest.raises(ValueError, match=words):
        DrivableQuality(LABELS).update(
            labels_of(labels)[0], labels_of(ids)[1], surface(predicted.replace("r", "#"))
        )
