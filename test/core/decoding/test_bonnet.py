# SPDX-License-Identifier: Apache-2.0
"""The own bonnet on drawn maps: 'c' is a car without an id, '1' one with."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.decoding.bonnet import find_bonnet
from panoptic_ros.core.types import Panoptic
from test.drawn.drawings import LABELS, scene

ROAD = "rrrrrrrrrr "


def found(frame: Panoptic) -> list[str] | None:
    mask = find_bonnet(frame.labels, frame.ids, LABELS.vehicles)
    return None if mask is None else ["".join(".#"[int(each)] for each in row) for row in mask]


def test_a_wide_low_car_without_an_id_at_the_lower_edge_is_the_bonnet() -> None:
    frame = scene(ROAD * 8, "rrrccccrrr", "rrccccccrr")
    assert found(frame) == ["." * 10] * 8 + ["...####...", "..######.."]


def test_what_lies_below_it_belongs_to_it_whatever_its_class() -> None:
    frame = scene(ROAD * 60, "rrccccccrr " * 3, "rrccrrccrr " * 1)
    mask = find_bonnet(frame.labels, frame.ids, LABELS.vehicles)
    assert mask is not None
    assert mask[60:, 2:8].all()
    assert mask.sum() == 4 * 6


def test_it_may_lie_in_pieces() -> None:
    frame = scene(ROAD * 9, "rccrrrccrr")
    assert found(frame) == ["." * 10] * 9 + [".##...##.."]


@pytest.mark.parametrize(
    "rows",
    [
        [ROAD * 9, "rrrcccrrrr"],
        [ROAD * 5, "rrccccrrrr " * 5],
        [ROAD * 8, "rrccccccrr", ROAD],
        [ROAD * 8, "rr111111rr " * 2],
        [ROAD * 10],
    ],
    ids=["narrow", "reaching up", "not at the edge", "with an id", "no car"],
)
def test_other_cars_are_none(rows: list[str]) -> None:
    assert found(scene(*rows)) is None


def test_a_car_that_reaches_up_is_not_part_of_it() -> None:
    frame = scene(ROAD * 3, "rrrrrrrrcc " * 6, "ccccccrrcc")
    assert found(frame) == ["." * 10] * 9 + ["######...."]


def test_persons_are_no_vehicles() -> None:
    frame = scene(ROAD * 8, "rr111111rr " * 2, classes={1: 3})
    assert find_bonnet(frame.labels, np.zeros_like(frame.ids), LABELS.vehicles) is None


def test_vehicles_are_things_that_are_not_vulnerable() -> None:
    assert np.flatnonzero(LABELS.vehicles).tolist() == [2]
