# SPDX-License-Identifier: Apache-2.0
"""Centre/offset heads on drawn maps: road 'r', car 'c', truck 't', person 'p', void '.'."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.decoding.decode import bounding_boxes, decode
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import VOID, Panoptic

LETTERS = "rctp"
LABELS = LabelSet(
    "drawn",
    tuple(
        Label(index, name, is_thing, name == "road", (0, 0, 0), is_vulnerable=name == "person")
        for index, (name, is_thing) in enumerate(
            [("road", False), ("car", True), ("truck", True), ("person", True)]
        )
    ),
)
WITH_REGIONS = DecodeConfig(
    center_threshold=0.1,
    object_threshold=0.0,
    min_thing_area=0.0,
    min_stuff_area=0.0,
    region_confidence=0.7,
)
ANY_SIZE = replace(WITH_REGIONS, region_confidence=1.0)


def classes(drawing: str) -> NDArray[np.uint8]:
    rows = drawing.split()
    values = [[VOID if c == "." else LETTERS.index(c) for c in row] for row in rows]
    return np.array(values, np.uint8)


def heads(drawing: str, *centers: tuple[int, int, int], step: int = 1) -> CenterOffsetHeads:
    """Draw heads whose pixels all point at the nearest of ``centers`` (y, x, score)."""
    labels = classes(drawing)
    labels = labels.repeat(step, 0).repeat(step, 1)
    rows, columns = labels.shape[0] // step, labels.shape[1] // step
    heat = np.zeros((rows, columns), np.uint8)
    offsets = np.zeros((2, rows, columns), np.float16)
    grid = np.stack(np.mgrid[0:rows, 0:columns])
    best = np.full((rows, columns), np.inf)
    for y, x, score in centers:
        heat[y, x] = score
        target = np.array([y, x])[:, None, None] - grid
        distance = (target**2).sum(0)
        offsets = np.where(distance < best, target, offsets).astype(np.float16)
        best = np.minimum(best, distance)
    return CenterOffsetHeads(labels, np.full(labels.shape, 200, np.uint8), heat, offsets)


def drawn_ids(panoptic: Panoptic) -> list[str]:
    return ["".join(map(str, row)) for row in panoptic.ids]


def test_each_thing_pixel_goes_to_the_centre_its_offset_points_at() -> None:
    result = decode(heads("ccrcc ccrcc", (0, 0, 255), (0, 4, 200)), LABELS, ANY_SIZE)
    assert drawn_ids(result) == ["11022", "11022"]
    assert [segment.box for segment in result.segments] == [(0, 0, 2, 2), (3, 0, 5, 2)]
    assert [segment.area for segment in result.segments] == [4, 4]


def test_pixels_vote_for_classes_with_their_confidence() -> None:
    drawn = heads("ccct", (0, 1, 255))
    drawn.confidence[:] = [[102, 102, 102, 204]]
    (segment,) = decode(drawn, LABELS, ANY_SIZE).segments
    assert (segment.label, segment.score) == (1, pytest.approx(0.3))
    car, truck = 3 * 102, 204
    total = car + truck
    assert segment.votes == ((1, car / total), (2, truck / total))
    assert segment.probabilities == pytest.approx({1: 0.3, 2: 0.2, VOID: 0.5})
    assert next(iter(segment.probabilities.values())) == segment.score


def test_votes_of_one_object_are_not_its_neighbours() -> None:
    drawn = heads("cccrccct", (0, 1, 255), (0, 6, 200))
    first, second = decode(drawn, LABELS, ANY_SIZE).segments
    assert first.votes == ()
    assert second.votes == ((1, 0.75), (2, 0.25))


def test_stuff_never_gets_an_id() -> None:
    result = decode(heads("rrrr rrrr", (0, 1, 255)), LABELS, ANY_SIZE)
    assert result.segments == ()
    assert not result.ids.any()


def test_thing_pixels_without_any_centre_keep_their_label_and_have_no_id() -> None:
    result = decode(heads("ccrr"), LABELS, ANY_SIZE)
    assert result.labels.tolist() == [[1, 1, 0, 0]]
    assert not result.ids.any()


def test_each_sure_region_without_a_centre_becomes_an_object_with_half_of_its_score() -> None:
    said = heads("ccrcc ccrrr rrrpp")
    said.confidence[0, 3:] = 190
    result = decode(said, LABELS, WITH_REGIONS)
    assert drawn_ids(result) == ["11033", "11000", "00022"]
    assert [(each.label, each.area, each.box) for each in result.segments] == [
        (1, 4, (0, 0, 2, 2)),
        (3, 2, (3, 2, 5, 3)),
        (1, 2, (3, 0, 5, 1)),
    ]
    scores = [each.score for each in result.segments]
    assert scores == pytest.approx([100 / 255, 100 / 255, 95 / 255])


def test_a_region_of_exactly_the_least_probability_becomes_an_object_at_1_none_does() -> None:
    said = heads("ccrr")
    for least, expected in ((0.6, "1100"), (0.8, "1100"), (0.81, "0000"), (1.0, "0000")):
        said.confidence[:] = 204 if least < 1.0 else 255
        result = decode(said, LABELS, replace(WITH_REGIONS, region_confidence=least))
        assert drawn_ids(result) == [expected], least


def test_what_a_centre_claims_keeps_its_id_beside_a_region() -> None:
    said = heads("cc" + "r" * 36 + "pp", (0, 0, 255))
    still = replace(said, offsets=np.zeros_like(said.offsets))
    result = decode(still, LABELS, WITH_REGIONS)
    assert result.ids[0, [0, 1, 38, 39]].tolist() == [1, 1, 2, 2]
    assert [each.label for each in result.segments] == [1, 3]


def test_a_region_that_touches_an_object_of_its_class_is_none_and_one_of_another_class_is() -> (
    None
):
    said = heads("cc" * 10 + "pp" + "r" * 18, (0, 0, 255))
    still = replace(said, offsets=np.zeros_like(said.offsets))
    result = decode(still, LABELS, WITH_REGIONS)
    assert drawn_ids(result) == ["11" + "0" * 18 + "22" + "0" * 18]
    assert [each.label for each in result.segments] == [1, 3]


def test_regions_obey_the_thresholds_of_area_score_and_count() -> None:
    said = heads("ccrprppp")
    assert drawn_ids(decode(said, LABELS, WITH_REGIONS)) == ["11020333"]
    for change, expected in (
        ({"min_thing_area": 2 / 8}, "11000222"),
        ({"object_threshold": 100 / 255}, "11020333"),
        ({"object_threshold": 101 / 255}, "00000000"),
        ({"max_objects": 2}, "11020000"),
    ):
        assert drawn_ids(decode(said, LABELS, replace(WITH_REGIONS, **change))) == [expected]


def test_the_own_bonnet_is_no_object() -> None:
    street = "pprrrrrrcc " * 20
    bonnet = "rccccccrrr " * 4
    result = decode(heads(street + bonnet), LABELS, WITH_REGIONS)
    assert [each.box for each in result.segments] == [(0, 0, 2, 20), (8, 0, 10, 20)]
    assert (result.labels[20:, 1:7] == 1).all()


def test_the_majority_class_wins_the_whole_object() -> None:
    result = decode(heads("cctc", (0, 1, 255)), LABELS, ANY_SIZE)
    assert result.labels.tolist() == [[1, 1, 1, 1]]
    assert result.segments[0].label == 1


def test_ids_run_from_the_strongest_centre_to_the_weakest() -> None:
    result = decode(heads("ccrpp", (0, 0, 90), (0, 4, 250)), LABELS, ANY_SIZE)
    assert drawn_ids(result) == ["22011"]


def test_the_score_is_the_centre_times_the_mean_probability_of_the_class() -> None:
    result = decode(heads("cctc", (0, 1, 255)), LABELS, ANY_SIZE)
    assert result.segments[0].score == pytest.approx(3 / 4 * 200 / 255)


def test_an_object_below_the_threshold_is_left_without_an_id() -> None:
    config = replace(ANY_SIZE, object_threshold=0.5)
    result = decode(heads("ccrpp", (0, 0, 90), (0, 4, 250)), LABELS, config)
    assert drawn_ids(result) == ["00011"]


def test_a_pixel_whose_target_is_far_from_every_centre_belongs_to_none() -> None:
    said = heads("cc" + "r" * 36 + "cc", (0, 0, 255))
    still = replace(said, offsets=np.zeros_like(said.offsets))
    result = decode(still, LABELS, ANY_SIZE)
    assert result.ids[0, [0, 1, 38, 39]].tolist() == [1, 1, 0, 0]
    assert result.labels[0, 39] == 1


def test_a_centre_below_the_threshold_is_none() -> None:
    config = replace(ANY_SIZE, center_threshold=0.5, center_reach=1.0)
    result = decode(heads("cccc", (0, 0, 127), (0, 3, 128)), LABELS, config)
    assert drawn_ids(result) == ["1111"]


def test_small_objects_are_dropped_and_the_ids_close_up() -> None:
    config = replace(ANY_SIZE, min_thing_area=2 / 6)
    result = decode(heads("crrccc", (0, 0, 255), (0, 4, 200)), LABELS, config)
    assert drawn_ids(result) == ["000111"]
    assert result.labels[0, 0] == 1


def test_a_stuff_class_with_too_few_pixels_becomes_void() -> None:
    config = replace(ANY_SIZE, min_stuff_area=0.5)
    result = decode(heads("rccc", (0, 2, 255)), LABELS, config)
    assert result.labels.tolist() == [[VOID, 1, 1, 1]]


def test_unsure_pixels_become_void_when_asked() -> None:
    said = heads("rr")
    confidence = np.array([[100, 200]], np.uint8)
    unsure = CenterOffsetHeads(said.labels, confidence, said.centers, said.offsets)
    result = decode(unsure, LABELS, replace(ANY_SIZE, min_confidence=0.5))
    assert result.labels.tolist() == [[VOID, 0]]


@pytest.mark.parametrize("step", [1, 2, 4])
def test_labels_may_be_finer_than_the_centres(step: int) -> None:
    result = decode(heads("ccrcc", (0, 0, 255), (0, 4, 200), step=step), LABELS, ANY_SIZE)
    expected = np.array([[1, 1, 0, 2, 2]]).repeat(step, 0).repeat(step, 1)
    assert result.ids.tolist() == expected.tolist()


def test_an_all_void_image_is_an_empty_result() -> None:
    result = decode(heads("... ..."), LABELS, ANY_SIZE)
    assert (result.labels == VOID).all()
    assert result.segments == ()


def test_ten_thousand_centres_are_cut_to_the_strongest() -> None:
    said = heads(" ".join(["c" * 100] * 100))
    scores = np.arange(10_000).reshape(100, 100) % 255 + 1
    crowded = CenterOffsetHeads(
        said.labels, said.confidence, scores.astype(np.uint8), np.zeros((2, 100, 100), np.float32)
    )
    result = decode(crowded, LABELS, replace(ANY_SIZE, max_objects=256))
    assert len(result.segments) == 256


@given(st.integers(0, 2**32 - 1))
def test_a_plateau_of_the_heat_map_is_one_object_whatever_its_shape(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = heads(" ".join(["c" * 20 + "r" + "c" * 19] * 12), (6, 5, 250), (6, 30, 200))
    # Real offsets miss by some pixels, so several centres would share the object among them.
    missed = rng.normal(0.0, 1.5, drawn.offsets.shape)
    exact = replace(drawn, offsets=drawn.offsets + missed.astype(np.float16))
    top = (rng.random((5, 5)) < 0.5).astype(np.uint8)
    top[2, 2] = 1
    flat = exact.centers.copy()
    flat[4:9, 3:8] = 250 * _in_reach(top)
    rounded = replace(exact, centers=flat)
    config = replace(ANY_SIZE, center_reach=0.25)
    expected, result = (decode(said, LABELS, config) for said in (exact, rounded))
    assert (result.ids == expected.ids).all()
    assert [each.score for each in result.segments] == [each.score for each in expected.segments]


def _in_reach(top: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep what is connected to the middle, as far as a window of maxima reaches."""
    kept = np.zeros_like(top)
    kept[2, 2] = 1
    for _ in range(2):
        kept = np.asarray(cv2.dilate(kept, np.ones((3, 3), np.uint8)), np.uint8) & top
    return kept


@pytest.mark.parametrize(
    ("second", "objects"),
    [((3, 4), 1), ((3, 5), 1), ((3, 6), 2), ((5, 3), 1), ((6, 3), 2), ((5, 5), 1), ((6, 6), 2)],
)
def test_equal_centres_further_apart_than_the_window_of_maxima_are_two_objects(
    second: tuple[int, int], objects: int
) -> None:
    said = heads(" ".join(["c" * 10] * 10), (3, 3, 200), (*second, 200))
    assert len(decode(said, LABELS, ANY_SIZE).segments) == objects


@pytest.mark.parametrize(
    ("top", "claimed"), [((4,), "2-6"), ((4, 6), "3-7"), ((4, 5), "3-6"), ((4, 6, 8), "4-8")]
)
def test_the_centre_of_a_plateau_is_its_middle(top: tuple[int, ...], claimed: str) -> None:
    said = heads("c" * 16, *((0, column, 200) for column in top))
    # Every pixel points at itself, and two pixels away is too far.
    still = replace(said, offsets=np.zeros_like(said.offsets))
    result = decode(still, LABELS, replace(ANY_SIZE, center_reach=2 / 16))
    columns = np.flatnonzero(result.ids[0])
    assert f"{columns.min()}-{columns.max()}" == claimed


def test_a_weaker_centre_beside_a_stronger_one_stays_as_some_exports_look_at_less() -> None:
    result = decode(heads("cccc", (0, 0, 200), (0, 2, 199)), LABELS, ANY_SIZE)
    assert len(result.segments) == 2


def test_repeated_centres_do_not_use_up_the_most_objects() -> None:
    said = heads("cccccccccccc", (0, 1, 200), (0, 2, 200), (0, 8, 100))
    first, second = decode(said, LABELS, replace(ANY_SIZE, max_objects=2)).segments
    assert first.score > second.score


def test_the_result_does_not_change_when_the_engine_reuses_its_buffers() -> None:
    said = heads("ccrr", (0, 0, 255))
    result = decode(said, LABELS, ANY_SIZE)
    for array in (said.labels, said.confidence, said.centers):
        array.fill(0)
    assert result.labels.tolist() == [[1, 1, 0, 0]]
    assert result.confidence.tolist() == [[200] * 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": np.zeros((3, 3), np.uint8)}, "whole multiple"),
        ({"offsets": np.zeros((2, 1, 1), np.float16)}, "whole multiple"),
        ({"labels": np.full((1, 4), 9, np.uint8)}, "class 9"),
    ],
    ids=["label size", "offset size", "unknown class"],
)
def test_heads_that_do_not_fit_are_refused_with_the_reason(
    change: dict[str, NDArray[np.uint8]], words: str
) -> None:
    with pytest.raises(EngineRunError, match=words):
        decode(replace(heads("ccrr"), **change), LABELS, ANY_SIZE)


@given(st.integers(0, 2**32 - 1))
def test_any_heads_give_a_consistent_map(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = CenterOffsetHeads(
        labels=rng.integers(0, 4, (16, 24), np.uint8),
        confidence=rng.integers(0, 256, (16, 24), np.uint8),
        centers=rng.integers(0, 256, (8, 12), np.uint8) * (rng.random((8, 12)) < 0.2),
        offsets=rng.normal(0, 3, (2, 8, 12)).astype(np.float16),
    )
    config = DecodeConfig(min_thing_area=0.01, min_stuff_area=0.02, region_confidence=0.5)
    result = decode(said, LABELS, config)
    assert [segment.id for segment in result.segments] == list(range(1, len(result.segments) + 1))
    for segment in result.segments:
        mask = result.ids == segment.id
        rows, columns = np.nonzero(mask)
        tight = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert segment.area == mask.sum() >= 0.01 * mask.size
        assert segment.box == tight
        assert (result.labels[mask] == segment.label).all()
    assert (LABELS.things[result.labels] | (result.ids == 0)).all()


def test_boxes_are_tight_and_half_open() -> None:
    ids = np.array([[0, 1, 0], [2, 1, 0], [2, 0, 0]], np.uint16)
    assert bounding_boxes(ids, 2) == [(1, 0, 2, 2), (0, 1, 1, 3)]
