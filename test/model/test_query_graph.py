# SPDX-License-Identifier: Apache-2.0
"""Queries compete for pixels: the largest share wins, whatever the size of the map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.model.query_graph import ArgMaxRule, query_maps  # noqa: E402

pytestmark = pytest.mark.torch

QUERIES, CLASSES = 7, 3
AS_DRAWN = ArgMaxRule(lambda shares, weights, size: (shares, shares), clipped=False, threshold=0.0)
SIZES = [(1, 1), (5, 7), (32, 32), (28, 32), (64, 32)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_first_of_the_largest_shares_wins(size: tuple[int, int]) -> None:
    levels = np.random.default_rng(2).integers(1, 4, (1, QUERIES, *size))
    shares = torch.from_numpy(levels.astype(np.float32) / 4.0)
    classes = torch.zeros(1, QUERIES, CLASSES + 1)
    classes[..., 0] = 1.0

    found = query_maps(classes, shares, AS_DRAWN, size)

    np.testing.assert_array_equal(found.queries.numpy(), levels.argmax(1) + 1)


@pytest.mark.parametrize(("threshold", "label"), [(0.5, 255), (0.499, 0)])
def test_a_query_takes_part_above_the_threshold(threshold: float, label: int) -> None:
    # Two classes that are equally likely: 0.5 each, to the bit.
    classes = torch.tensor([[[0.0, 0.0, -1e9, -1e9]]])
    found = query_maps(
        classes, torch.ones(1, 1, 2, 2), replace(AS_DRAWN, threshold=threshold), (2, 2)
    )
    assert found.query_labels.tolist() == [[label]]


def test_a_pixel_as_likely_as_the_mask_threshold_is_in_the_mask() -> None:
    classes = torch.tensor([[[0.0, -1e9, -1e9, -1e9]]])
    shares = torch.tensor([[[[0.5, 0.499], [0.501, 0.0]]]])
    assert query_maps(classes, shares, AS_DRAWN, (2, 2)).query_areas.tolist() == [[2]]
