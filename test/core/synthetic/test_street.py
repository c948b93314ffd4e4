# SPDX-License-Identifier: Apache-2.0
"""The drawn street is exact, repeatable, and can be read back from its images alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.errors import ConfigError, EngineRunError
from panoptic_ros.core.geometry import shrink
from panoptic_ros.core.overlap import overlap
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import (
    CAR,
    PERSON,
    ROAD,
    SKY,
    STUFF_COLORS,
    DrawnStreet,
    Truth,
    slot_colors,
)
from panoptic_ros.core.types import VOID, Frame

SMALL = (512, 256)
LEAST_AREA = 60


def moments(street: DrawnStreet, step: int = 10) -> Iterator[tuple[Frame, Truth]]:
    return (street.draw(number) for number in range(0, len(street), step))


def reduced(values: NDArray, size: tuple[int, int]) -> NDArray:
    """Nearest pixel of every pixel of a smaller map of (width, height)."""
    rows = (2 * np.arange(size[1]) + 1) * values.shape[0] // (2 * size[1])
    columns = (2 * np.arange(size[0]) + 1) * values.shape[1] // (2 * size[0])
    return values[rows][:, columns]


def best_matches(truth: NDArray, found: NDArray) -> Iterator[tuple[int, int]]:
    """(object, found id) of every object of some size; 0 where none covers it by half."""
    common = overlap(truth, found)
    areas, other_areas = common.sum(1), common.sum(0)
    for number in range(1, len(common)):
        if areas[number] < LEAST_AREA:
            continue
        iou = common[number] / (areas[number] + other_areas - common[number])
        iou[0] = 0.0
        best = int(iou.argmax())
        yield number, best if iou[best] > 0.5 else 0


def test_equal_arguments_draw_equal_bytes() -> None:
    for (a, truth_a), (b, truth_b) in zip(
        DrawnStreet(SMALL, seconds=0.2, seed=3),
        DrawnStreet(SMALL, seconds=0.2, seed=3),
        strict=True,
    ):
        assert a.image.tobytes() == b.image.tobytes()
        assert truth_a.ids.tobytes() == truth_b.ids.tobytes()
        assert a.stamp_ns == b.stamp_ns


def test_another_seed_draws_another_street() -> None:
    a, b = (DrawnStreet(SMALL, seed=seed).draw(0)[0].image for seed in (0, 1))
    assert (a != b).any()


def test_stamps_follow_the_rate() -> None:
    stamps = [frame.stamp_ns for frame, _ in DrawnStreet(SMALL, fps=20.0, seconds=0.25)]
    assert np.diff(stamps).tolist() == [50_000_000] * 4


def test_objects_and_nothing_else_have_numbers_and_keep_their_class() -> None:
    label_of: dict[int, int] = {}
    for _, truth in moments(DrawnStreet(SMALL)):
        assert ((truth.ids > 0) == np.isin(truth.labels, (CAR, PERSON))).all()
        for number in np.unique(truth.ids[truth.ids > 0]).tolist():
            labels = set(truth.labels[truth.ids == number].tolist())
            assert labels == {label_of.setdefault(number, labels.copy().pop())}
    assert set(label_of.values()) == {CAR, PERSON}


@pytest.mark.parametrize("speed_m_s", [0.0, 7.0, 20.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_colour_belongs_to_one_class_and_one_object_at_a_time(
    seed: int, speed_m_s: float
) -> None:
    for frame, truth in moments(DrawnStreet(SMALL, seed=seed, speed_m_s=speed_m_s), 25):
        color = frame.image.astype(np.int64) @ [65_536, 256, 1]
        meaning = truth.labels.astype(np.int64) << 16 | truth.ids
        pairs = np.unique(np.stack((color.ravel(), meaning.ravel())), axis=1)
        assert len(set(pairs[0].tolist())) == pairs.shape[1]


def test_there_is_traffic_that_moves_and_road_below_the_sky() -> None:
    street = DrawnStreet(SMALL)
    (_, first), (_, later) = street.draw(0), street.draw(5)
    assert len(np.unique(first.ids)) > 8
    assert (first.ids != later.ids).any()
    assert first.labels[0, 200] == SKY
    assert (first.labels[-1] == ROAD).mean() > 0.5


@pytest.mark.parametrize("size", [SMALL, (1280, 720)], ids=["its own size", "resized"])
def test_the_engine_reads_classes_and_objects_from_the_image(size: tuple[int, int]) -> None:
    engine = DrawnEngine(SMALL)
    agreement, matches = [], []
    for frame, truth in moments(DrawnStreet(size), 20):
        heads = engine.infer(shrink(frame.image, engine.input))
        found = decode(heads, engine.spec.labels, DecodeConfig())
        agreement.append((found.labels == reduced(truth.labels, SMALL)).mean())
        matches += [best for _, best in best_matches(reduced(truth.ids, SMALL), found.ids)]
    assert min(agreement) > 0.98
    assert len(matches) > 100
    assert np.mean(np.array(matches) > 0) > 0.95


@pytest.mark.parametrize(("left", "right"), [(0, 5), (5, 0)], ids=["lower left", "higher left"])
def test_a_block_that_two_objects_share_belongs_to_the_larger_part(left: int, right: int) -> None:
    image = np.full((256, 512, 3), STUFF_COLORS[ROAD][0], np.uint8)
    # The left car has 3 of the 4 columns 56..59, so the border is seen at 60, whoever is first.
    image[100:120, 40:59] = slot_colors(CAR, left)[0]
    image[100:120, 59:80] = slot_colors(CAR, right)[0]
    engine = DrawnEngine(SMALL)
    found = decode(engine.infer(image), engine.spec.labels, DecodeConfig())
    assert sorted(segment.box for segment in found.segments) == [
        (40, 100, 60, 120),
        (60, 100, 80, 120),
    ]


@pytest.mark.parametrize("width", [4, 8, 12, 16])
def test_narrow_objects_side_by_side_are_told_apart(width: int) -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    image[:] = STUFF_COLORS[ROAD][0]
    for slot in range(3):
        left = 20 + slot * width
        image[16:48, left : left + width] = slot_colors(PERSON, slot)[0]
    engine = DrawnEngine((96, 64))
    result = decode(engine.infer(image), engine.spec.labels, DecodeConfig())
    assert sorted(segment.box for segment in result.segments) == [
        (20 + slot * width, 16, 20 + (slot + 1) * width, 48) for slot in range(3)
    ]


def test_tracks_keep_the_objects_of_the_drawn_street() -> None:
    pipeline = Pipeline(DrawnEngine(SMALL))
    id_of: dict[int, int] = {}
    kept = []
    for frame, truth in DrawnStreet(SMALL, seconds=2.0):
        for number, track in best_matches(truth.ids, pipeline.step(frame).track_ids()):
            if track and id_of.setdefault(number, track) != track:
                kept.append(False)
                id_of[number] = track
            elif track:
                kept.append(True)
    assert len(kept) > 300
    assert np.mean(kept) > 0.98


def test_an_image_of_something_else_is_void() -> None:
    heads = DrawnEngine(SMALL).infer(np.zeros((256, 512, 3), np.uint8))
    assert isinstance(heads, CenterOffsetHeads)
    assert (heads.labels == VOID).all()
    assert not heads.confidence.any()
    assert not heads.centers.any()


def test_an_image_of_another_size_is_refused() -> None:
    with pytest.raises(EngineRunError, match=r"needs \(256, 512, 3\)"):
        DrawnEngine(SMALL).infer(np.zeros((8, 8, 3), np.uint8))


def test_a_size_that_does_not_fit_the_stride_is_refused() -> None:
    with pytest.raises(ConfigError, match="510x256, needs multiples of 4"):
        DrawnEngine((510, 256))
