# SPDX-License-Identifier: Apache-2.0
"""Rules of shape are read, or one line says what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.classes.label_documents import shipped_label_set
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.data.crowds.pieces import Piece
from panoptic_ros.data.crowds.shapes import ShapeRule, find_shapes, read_shapes

GOOD = "name: farm\nclasses:\n  tractor: {aspect: [0.5, 2], solidity: 0.8, area: 100}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "farm.yaml"


def test_a_file_is_read(path: Path) -> None:
    path.write_text(GOOD)
    assert read_shapes(find_shapes(str(path))) == {"tractor": ShapeRule((0.5, 2.0), 0.8, 100)}


@pytest.mark.parametrize(
    ("width", "area", "solidity", "fits"),
    [
        pytest.param(10, 100, 0.8, True, id="narrowest, smallest and least solid"),
        pytest.param(40, 100, 0.8, True, id="widest"),
        pytest.param(9, 100, 0.8, False, id="narrower"),
        pytest.param(41, 100, 0.8, False, id="wider"),
        pytest.param(10, 99, 0.8, False, id="smaller"),
        pytest.param(10, 100, 0.79, False, id="less solid"),
    ],
)
def test_a_piece_on_the_edge_of_a_rule_fits_it(
    width: int, area: int, solidity: float, fits: bool
) -> None:
    piece = Piece((0, 0, width, 20), np.ones((20, width), np.bool_), area, solidity)
    assert ShapeRule((0.5, 2.0), 0.8, 100).fits(piece) is fits


def test_the_shipped_rules_are_of_things_of_the_street() -> None:
    things = {label.name for label in shipped_label_set("cityscapes").labels if label.is_thing}
    assert set(read_shapes(find_shapes("street"))) == things - {"person", "rider"}


def test_a_name_that_is_not_shipped_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"shape rules 'streets' are not in .* has street"):
        find_shapes("streets")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: farm", "title: farm", "needs the keys name and classes"),
        ("aspect: [0.5, 2], ", "", "class tractor: lacks aspect"),
        ("area: 100", "areas: 100", "has no key 'areas'; the nearest is 'area'"),
        ("[0.5, 2]", "[2, 0.5]", "aspect is .2, 0.5., needs .least, largest. width / height"),
        ("[0.5, 2]", "[0, 2]", "above 0"),
        ("0.8", ".nan", "solidity is nan, needs a number 0..1"),
        ("area: 100", "area: 0", "area is 0, needs whole pixels, 1 or more"),
        (
            "{aspect: [0.5, 2], solidity: 0.8, area: 100}",
            "2",
            "class tractor: is 2, needs the keys",
        ),
    ],
)
def test_a_wrong_file_is_refused(path: Path, old: str, new: str, message: str) -> None:
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=f"shape rules {path}: .*{message}"):
        read_shapes(path)


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_shapes(path)
