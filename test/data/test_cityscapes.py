# SPDX-License-Identifier: Apache-2.0
"""Cityscapes numbers, and objects in its encoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.errors import DataError
from panoptic_ros.data.cityscapes import (
    LABEL_IDS,
    instance_ids,
    label_id_table,
    train_id_table,
    write_png,
)


def label_set(*names: str) -> LabelSet:
    return LabelSet(
        "test", tuple(Label(i, name, False, False, (0, 0, 0)) for i, name in enumerate(names))
    )


def test_the_order_of_the_classes_is_the_train_id() -> None:
    order = list(LABEL_IDS)
    assert (order[0], order[10], order[11], order[13], order[18]) == (
        "road",
        "sky",
        "person",
        "car",
        "bicycle",
    )
    assert len(order) == 19


def test_classes_are_matched_by_name_whatever_their_order() -> None:
    labels = label_set("car", "zebra", "road")
    assert train_id_table(labels)[[0, 1, 2, 255]].tolist() == [13, 255, 0, 255]
    assert label_id_table(labels)[[0, 1, 2, 255]].tolist() == [26, 0, 7, 0]


@pytest.mark.parametrize("table", [train_id_table, label_id_table])
def test_a_label_set_of_strangers_is_refused(table: object) -> None:
    with pytest.raises(DataError, match="has no class that Cityscapes has"):
        table(label_set("cat", "dog"))  # type: ignore[operator]


def test_objects_are_counted_per_class_from_zero() -> None:
    labels = np.array([[26, 26, 24, 26], [7, 7, 0, 26]], np.uint8)
    ids = np.array([[3, 5, 4, 0], [0, 0, 9, 5]], np.uint16)
    assert instance_ids(labels, ids).tolist() == [[26000, 26001, 24000, 26], [7, 7, 0, 26001]]


def test_the_thousandth_object_still_fits_and_the_next_does_not() -> None:
    labels = np.full((1, 1001), 33, np.uint8)
    ids = np.arange(1, 1002, dtype=np.uint16)[None]
    assert instance_ids(labels[:, :1000], ids[:, :1000]).max() == 33999
    with pytest.raises(DataError, match="more than 1000 objects"):
        instance_ids(labels, ids)


def test_an_image_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone/x\.png: cannot be written"):
        write_png(tmp_path / "gone" / "x.png", np.zeros((2, 2), np.uint8))
