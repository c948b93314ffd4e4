# SPDX-License-Identifier: Apache-2.0
"""Boundary IoU against walking from every pixel, and on drawn maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from panoptic_ros.metrics.boundary import BoundaryIou, rim

VOID = 255
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))


@given(MASKS, st.integers(1, 4))
def test_the_rim_is_what_lies_near_the_outside(mask: NDArray[np.bool_], width: int) -> None:
    around = np.pad(mask, width)
    height, length = mask.shape
    expected = [
        [
            bool(mask[y, x]) and not around[y : y + 2 * width + 1, x : x + 2 * width + 1].all()
            for x in range(length)
        ]
        for y in range(height)
    ]
    assert rim(mask, width).tolist() == expected


def iou(truth: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> tuple[float, ...]:
    metric = BoundaryIou(2)
    metric.update(truth, predicted)
    return metric.result().classes


def square(x0: int, x1: int) -> NDArray[np.uint8]:
    image = np.zeros((20, 20), np.uint8)
    image[5:15, x0:x1] = 1
    return image


def test_equal_maps_score_one() -> None:
    assert iou(square(4, 14), square(4, 14)) == (1.0, 1.0)


def test_only_the_rim_counts() -> None:
    # Rims of 36 pixels each; of the shifted one the two long sides overlap in 8 + 8 pixels, and
    # each rim's column crosses the other's rows nowhere else.
    both = 2 * 9
    assert iou(square(4, 14), square(5, 15))[1] == pytest.approx(both / (36 + 36 - both))


def test_void_truth_is_ignored() -> None:
    truth = square(4, 14)
    truth[:, 10:] = VOID
    predicted = square(4, 14)
    untouched = square(4, 10)
    # Seen are the left side and the upper and lower rims up to the void; the truth's own rim at
    # the void is a contour the prediction does not have.
    both = 10 + 5 + 5
    assert iou(truth, predicted)[1] == pytest.approx(both / rim(untouched == 1, 1).sum())


@pytest.mark.parametrize("shift", [1, 2], ids=["before", "after"])
def test_a_class_that_does_not_occur_hides_no_other(shift: int) -> None:
    # Of three classes the first is missing, or the last.
    metric, image = BoundaryIou(3), square(4, 14) + np.uint8(2 - shift)
    metric.update(image, image)
    found = metric.result().classes
    assert [math.isnan(value) for value in found] == [shift == 1, False, shift == 2]


def test_a_class_on_one_side_only_scores_nothing() -> None:
    nothing = np.zeros((20, 20), np.uint8)
    assert iou(nothing, square(4, 14))[1] == 0.0
    assert iou(square(4, 14), nothing)[1] == 0.0


@pytest.mark.parametrize(("width", "steps"), [(0.0, 1), (0.02, 1), (0.1, 3)])
def test_the_rim_is_as_wide_as_a_share_of_the_diagonal(width: float, steps: int) -> None:
    # The diagonal is 28.3 pixels long; a rim has at least one.
    metric, true, found = BoundaryIou(2, width), square(4, 14), square(5, 15)
    metric.update(true, found)
    rims = [rim(image == 1, steps) for image in (true, found)]
    both, either = (rims[0] & rims[1]).sum(), (rims[0] | rims[1]).sum()
    assert metric.result().classes[1] == pytest.approx(both / either)


def test_a_class_that_does_not_occur_leaves_the_mean() -> None:
    metric = BoundaryIou(3)
    metric.update(square(4, 14), square(4, 14))
    result = metric.result()
    assert math.isnan(result.classes[2])
    assert result.mean == 1.0


def test_merged_parts_equal_the_whole_and_reset_forgets() -> None:
    whole, part, other = BoundaryIou(2), BoundaryIou(2), BoundaryIou(2)
    for metric, shift in ((part, 5), (other, 7)):
        metric.update(square(4, 14), square(shift, shift + 10))
        whole.update(square(4, 14), square(shift, shift + 10))
    part.merge(other)
    assert part.result() == whole.result()
    part.reset()
    assert math.isnan(part.result().mean)


def test_refuses_maps_of_different_shape() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        BoundaryIou(2).update(np.zeros((1, 2), np.uint8), np.zeros((2, 1), np.uint8))
