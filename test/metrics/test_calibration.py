# SPDX-License-Identifier: Apache-2.0
"""Expected calibration error on drawn pixels, and against the textbook loop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from panoptic_ros.metrics.calibration import Calibration, CalibrationResult

VOID = 255


def result(
    truth: list[int], predicted: list[int], confidence: list[int], bins: int = 15
) -> CalibrationResult:
    metric = Calibration(bins)
    metric.update(*(np.array([row], np.uint8) for row in (truth, predicted, confidence)))
    return metric.result()


@pytest.mark.parametrize(
    ("truth", "predicted", "confidence", "error"),
    [
        pytest.param([1, 1], [1, 1], [255, 255], 0.0, id="sure and right"),
        pytest.param([1, 1], [2, 2], [255, 255], 1.0, id="sure and wrong"),
        pytest.param([1, 1], [1, 2], [255, 255], 0.5, id="sure and half right"),
        pytest.param([1] * 5, [1, 1, 1, 2, 2], [153] * 5, 0.0, id="as sure as right"),
        pytest.param([1, 2], [1, 1], [255, 0], 0.0, id="unsure and wrong"),
        pytest.param([1, VOID, 1], [1, 1, VOID], [255] * 3, 0.0, id="void is left out"),
    ],
)
def test_error(
    truth: list[int], predicted: list[int], confidence: list[int], error: float
) -> None:
    assert result(truth, predicted, confidence).error == pytest.approx(error)


def test_equals_the_textbook_loop() -> None:
    rng = np.random.default_rng(2)
    truth, predicted = rng.integers(0, 3, (2, 500))
    confidence = rng.integers(0, 256, 500)
    expected, largest = 0.0, 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        inside = (confidence / 255 > low) & (confidence / 255 <= high)
        inside |= (number == 0) & (confidence == 0)
        gap = abs((truth == predicted)[inside].mean() - (confidence / 255)[inside].mean())
        expected += gap * inside.mean()
        largest = max(largest, gap)
    found = result(truth.tolist(), predicted.tolist(), confidence.tolist())
    assert found.error == pytest.approx(expected)
    assert found.largest_error == pytest.approx(largest)


def test_bins_hold_every_pixel_once() -> None:
    confidence = list(range(256))
    found = result([1] * 256, [1] * 256, confidence)
    assert sum(entry.pixels for entry in found.bins) == 256
    means = [entry.confidence for entry in found.bins]
    assert means == sorted(means)
    assert len(means) == 15


def test_without_pixels_there_is_no_error() -> None:
    assert math.isnan(result([VOID], [1], [9]).error)


def test_merged_parts_equal_the_whole_and_reset_forgets() -> None:
    rng = np.random.default_rng(3)
    maps = rng.integers(0, 3, (4, 3, 6, 6)).astype(np.uint8)
    whole, part, other = Calibration(), Calibration(), Calibration()
    for number, (truth, predicted, confidence) in enumerate(maps):
        whole.update(truth, predicted, confidence)
        (part if number % 2 else other).update(truth, predicted, confidence)
    part.merge(other)
    assert part.result() == whole.result()
    part.reset()
    assert part.result().bins == ()


def test_refuses_maps_of_different_shape() -> None:
    shapes = (np.zeros((1, 2), np.uint8), np.zeros((1, 2), np.uint8), np.zeros((2, 1), np.uint8))
    with pytest.raises(ValueError, match="shapes differ"):
        Calibration().update(*shapes)
