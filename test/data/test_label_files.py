# SPDX-License-Identifier: Apache-2.0
"""Label files: who is compared with whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.annotation import Annotation
from panoptic_ros.data.label_files import LabelFile, by_key, paired, unpaired


def read() -> Annotation:
    raise AssertionError("nothing is read while files are paired")


def files(*names: str) -> dict[str, LabelFile]:
    return {name: LabelFile(name, Path(name), read) for name in names}


def test_frames_are_paired_by_sequence_and_name() -> None:
    truth = {"a": files("0", "1"), "b": files("0")}
    predicted = {"b": files("0"), "c": files("0"), "a": files("0", "1", "2")}
    pairs = paired(truth, predicted)
    assert [(pair.sequence, pair.truth.name) for pair in pairs] == [
        ("a", "0"),
        ("a", "1"),
        ("b", "0"),
    ]
    assert [pair.predicted for pair in pairs] == [
        predicted["a"]["0"],
        predicted["a"]["1"],
        predicted["b"]["0"],
    ]


def test_one_sequence_may_have_two_names() -> None:
    (pair,) = paired({"0002": files("0")}, {"": files("0")})
    assert pair.sequence == "0002"


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        pytest.param({"a": files("0"), "x": {}}, "sequence b: .* 1 of 1 image,", id="sequence"),
        pytest.param({"a": {}, "b": files("0")}, "sequence a: .* first is 0", id="frame"),
    ],
)
def test_missing_predictions_are_named(
    predicted: dict[str, dict[str, LabelFile]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        paired({"a": files("0"), "b": files("0")}, predicted)


def test_a_missing_image_id_comes_with_the_name_of_its_image() -> None:
    truth = {"": {"77": LabelFile("aachen", Path("x.png"), read)}}
    with pytest.raises(DataError, match=r"the first is 77 \(aachen\)"):
        paired(truth, {"": {}})


def test_without_predictions_all_images_are_listed_in_order() -> None:
    found = unpaired({"a": files("1", "0"), "b": files("2")})
    assert [(pair.sequence, pair.truth.name, pair.predicted) for pair in found] == [
        ("a", "1", None),
        ("a", "0", None),
        ("b", "2", None),
    ]


def test_two_files_of_one_image_are_refused() -> None:
    twice = [("0", LabelFile("0", Path(f"{folder}/0.png"), read)) for folder in "ab"]
    with pytest.raises(DataError, match=r"b/0\.png and a/0\.png are both of the image 0"):
        by_key(twice)
