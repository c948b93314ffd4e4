# SPDX-License-Identifier: Apache-2.0
"""IoU of classes on drawn maps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from panoptic_ros.metrics.semantic import SemanticIou, SemanticResult

VOID = 255


def result(truth: list[int], predicted: list[int], class_count: int = 3) -> SemanticResult:
    metric = SemanticIou(class_count)
    metric.update(np.array([truth], np.uint8), np.array([predicted], np.uint8))
    return metric.result()


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        pytest.param([0, 0, 1, 1], [0, 0, 1, 1], [1, 1, None], id="equal maps"),
        pytest.param([0, 0, 1, 1], [0, 1, 1, 1], [1 / 2, 2 / 3, None], id="a border moved"),
        pytest.param([0, VOID, VOID], [0, 1, 0], [1, None, None], id="void truth is ignored"),
        pytest.param([0, 0], [0, VOID], [1 / 2, None, None], id="predicting nothing is a miss"),
        pytest.param([0, 0], [0, 2], [1 / 2, None, 0], id="a class the truth lacks scores zero"),
        pytest.param([0, 9], [0, 9], [1, None, None], id="an unknown class is void"),
    ],
)
def test_iou_by_class(
    truth: list[int], predicted: list[int], expected: list[float | None]
) -> None:
    found = [None if math.isnan(value) else value for value in result(truth, predicted).classes]
    assert found == pytest.approx(expected)


def test_the_mean_is_over_classes_that_occur() -> None:
    assert result([0, 0, 1, 1], [0, 1, 1, 1]).miou == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_accuracy_is_over_pixels_with_truth() -> None:
    assert result([0, 0, 1, VOID], [0, 1, 1, 1]).accuracy == pytest.approx(2 / 3)


def test_without_truth_nothing_is_a_number() -> None:
    empty = result([VOID], [0])
    assert math.isnan(empty.miou)
    assert math.isnan(empty.accuracy)


def test_merged_parts_equal_the_whole() -> None:
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 4, (6, 2, 8, 8)).astype(np.uint8)
    whole, first, second = (SemanticIou(3) for _ in range(3))
    for number, (truth, predicted) in enumerate(maps):
        whole.update(truth, predicted)
        (first if number % 2 else second).update(truth, predicted)
    first.merge(second)
    assert first.confusion.tolist() == whole.confusion.tolist()


def test_reset_forgets() -> None:
    metric = SemanticIou(3)
    metric.update(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))
    metric.reset()
    assert metric.confusion.sum() == 0


def test_refuses_maps_of_different_shape() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        SemanticIou(3).update(np.zeros((1, 2), np.uint8), np.zeros((2, 1), np.uint8))
