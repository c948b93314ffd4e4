# SPDX-License-Identifier: Apache-2.0
"""Maps of classes drawn as letters: road 'r', sky 's', car 'c', person 'p', void '.'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from panoptic_ros.core.config import DecodeConfig, DrivableConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.decoding.semantic import SemanticHeads
from panoptic_ros.core.drivable.filter import find_drivable
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import VOID, Panoptic
from test.drawn.drawings import CAR, LABELS, PERSON, ROAD, SKY

LETTERS = {"r": ROAD, "s": SKY, "c": CAR, "p": PERSON, ".": VOID}
ANY_SIZE = DecodeConfig(min_thing_area=0.0, min_stuff_area=0.0)


def heads(drawing: str, sure: str = "") -> SemanticHeads:
    """Draw heads; the digits of ``sure`` are tenths of probability, 0.8 where there are none."""
    labels = np.array([[LETTERS[c] for c in row] for row in drawing.split()], np.uint8)
    tenths = np.full(labels.shape, 8)
    if sure:
        tenths = np.array([[int(c) for c in row] for row in sure.split()])
    return SemanticHeads(labels, (tenths * 25.5).round().astype(np.uint8))


def ids(made: Panoptic) -> list[str]:
    return ["".join(str(value) if value else "." for value in row) for row in made.ids]


def test_every_connected_region_of_a_thing_class_is_an_object() -> None:
    made = decode(heads("ccrrc ccrrr rrrrc"), LABELS, ANY_SIZE)
    assert ids(made) == ["11..2", "11...", "....3"]
    assert [(s.id, s.label, s.area, s.box) for s in made.segments] == [
        (1, CAR, 4, (0, 0, 2, 2)),
        (2, CAR, 1, (4, 0, 5, 1)),
        (3, CAR, 1, (4, 2, 5, 3)),
    ]
    assert (made.labels == heads("ccrrc ccrrr rrrrc").labels).all()


def test_corners_connect_and_other_classes_do_not() -> None:
    assert ids(decode(heads("crr rcr rrc"), LABELS, ANY_SIZE)) == ["1..", ".1.", "..1"]
    assert ids(decode(heads("ccpp"), LABELS, ANY_SIZE)) == ["1122"]


def test_a_region_inside_the_box_of_another_keeps_its_pixels() -> None:
    assert ids(decode(heads("ccc crc rrr rcr"), LABELS, ANY_SIZE)) == [
        "111",
        "1.1",
        "...",
        ".2.",
    ]


def test_the_surest_object_is_the_first() -> None:
    made = decode(heads("cr rp", "60 09"), LABELS, ANY_SIZE)
    assert ids(made) == ["2.", ".1"]
    assert [s.score for s in made.segments] == pytest.approx([0.9, 0.6], abs=0.01)


def test_the_score_is_the_mean_probability_of_the_region_alone() -> None:
    made = decode(heads("ccr", "489"), LABELS, ANY_SIZE)
    assert made.segments[0].score == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"min_thing_area": 2 / 8}, ["11..", "...."]),
        ({"object_threshold": 0.7}, ["....", "...1"]),
        ({"max_objects": 1}, ["....", "...1"]),
        ({"semantic_things": "stuff"}, ["....", "...."]),
    ],
    ids=["too small", "not sure", "too many", "as stuff"],
)
def test_what_is_no_object_keeps_its_class(change: dict[str, float], seen: list[str]) -> None:
    said = heads("ccrr rrrp", "6688 8889")
    made = decode(said, LABELS, replace(ANY_SIZE, **change))
    assert ids(made) == seen
    assert (made.labels == said.labels).all()


def test_little_stuff_and_what_is_not_sure_become_void() -> None:
    made = decode(heads("rrrr rrrs"), LABELS, replace(ANY_SIZE, min_stuff_area=0.2))
    assert made.labels[1].tolist() == [ROAD, ROAD, ROAD, VOID]
    made = decode(heads("rrc", "849"), LABELS, replace(ANY_SIZE, min_confidence=0.5))
    assert made.labels.tolist() == [[ROAD, VOID, CAR]]


def test_void_is_no_object_and_nothing_at_all_is_fine() -> None:
    made = decode(heads(".. .."), LABELS, DecodeConfig())
    assert ids(made) == ["..", ".."]
    assert made.segments == ()


def test_the_result_owns_its_arrays() -> None:
    said = heads("cr rr")
    made = decode(said, LABELS, ANY_SIZE)
    said.labels[:] = VOID
    said.confidence[:] = 0
    assert made.labels[0, 0] == CAR
    assert made.confidence[0, 0] == 204


@pytest.mark.parametrize(
    ("labels", "confidence", "words"),
    [
        ((2, 2), (2, 3), r"labels are \(2, 2\), confidence \(2, 3\)"),
        ((1, 2, 2), (1, 2, 2), "with two axes"),
    ],
)
def test_heads_that_do_not_fit_are_refused(
    labels: tuple[int, ...], confidence: tuple[int, ...], words: str
) -> None:
    said = SemanticHeads(np.zeros(labels, np.uint8), np.zeros(confidence, np.uint8))
    with pytest.raises(EngineRunError, match=words):
        decode(said, LABELS, DecodeConfig())


def test_a_class_that_the_label_set_lacks_is_refused_beside_void_as_well() -> None:
    said = heads("r.")
    said.labels[0, 0] = 4
    with pytest.raises(EngineRunError, match="says class 4, its label set drawn has 4"):
        decode(said, LABELS, DecodeConfig())


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.05]))
def test_objects_are_what_scipy_finds(seed: int, least: float) -> None:
    draw = np.random.default_rng(seed)
    labels = draw.choice(np.array([ROAD, CAR, PERSON, VOID], np.uint8), (12, 17))
    labels[-1] = ROAD  # Cars along the lower edge may be the own bonnet.
    said = SemanticHeads(labels, np.full(labels.shape, 200, np.uint8))
    made = decode(said, LABELS, replace(ANY_SIZE, min_thing_area=least))
    expected = _regions(labels, max(1, int(np.ceil(least * labels.size))))
    found = {frozenset(np.flatnonzero(made.ids == s.id).tolist()): s for s in made.segments}
    assert set(found) == expected
    for pixels, segment in found.items():
        y, x = np.divmod(sorted(pixels), labels.shape[1])
        assert segment.box == (x.min(), y.min(), x.max() + 1, y.max() + 1)
        assert segment.area == len(pixels)
        assert (labels[y, x] == segment.label).all()


def _regions(labels: NDArray[np.uint8], least: int) -> set[frozenset[int]]:
    found = set()
    for label in (CAR, PERSON):
        numbers, count = ndimage.label(labels == label, np.ones((3, 3)))
        parts = [np.flatnonzero(numbers == number) for number in range(1, count + 1)]
        found |= {frozenset(part.tolist()) for part in parts if part.size >= least}
    return found


def test_the_own_bonnet_is_no_object_and_the_surface_begins_above_it() -> None:
    labels = np.full((40, 60), ROAD, np.uint8)
    labels[10:20, 5:15] = CAR
    labels[34:, 10:50] = CAR
    said = SemanticHeads(labels, np.full(labels.shape, 255, np.uint8))
    made = decode(said, LABELS, ANY_SIZE)
    assert [each.box for each in made.segments] == [(5, 10, 15, 20)]
    surface = find_drivable(made, LABELS, DrivableConfig())
    assert surface.foot.tolist() == [40] * 10 + [34] * 40 + [40] * 10
    assert surface.mask[25:34].all()


def test_the_own_bonnet_alone_leaves_a_class_without_objects() -> None:
    """OpenCV's labelling of regions ends the process where there is no pixel at all."""
    labels = np.full((40, 60), ROAD, np.uint8)
    labels[34:] = CAR
    made = decode(SemanticHeads(labels, np.full(labels.shape, 255, np.uint8)), LABELS, ANY_SIZE)
    assert made.segments == ()
    assert not made.ids.any()
