# SPDX-License-Identifier: Apache-2.0
"""Sampling by gathers is what PyTorch's grid_sample does."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from torch.nn import functional  # noqa: E402

from panoptic_ros.model.deformable import bilinear_corners, deformable_attention  # noqa: E402

pytestmark = pytest.mark.torch


def places(*shape: int, low: float = -0.3, high: float = 1.3) -> torch.Tensor:
    """Places on the map and around it."""
    generator = torch.Generator().manual_seed(2)
    return low + (high - low) * torch.rand(*shape, 2, generator=generator)


@pytest.mark.parametrize(("height", "width"), [(5, 7), (1, 1), (16, 3)])
def test_corners_are_those_of_grid_sample(height: int, width: int) -> None:
    maps = torch.randn(4, 6, height, width, generator=torch.Generator().manual_seed(1))
    where = places(4, 50, 3)
    exact = torch.stack([(torch.arange(50) % width + 0.5) / width, torch.full((50,), 1.0)], -1)
    where[0, :, 0] = exact
    index, weights = bilinear_corners(where, height, width)
    rows = maps.flatten(2).transpose(1, 2).reshape(-1, 6)
    ours = (rows[index.long()] * weights[..., None]).sum(-2)
    theirs = functional.grid_sample(
        maps, 2 * where - 1, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    torch.testing.assert_close(ours.permute(0, 3, 1, 2), theirs, rtol=1e-5, atol=1e-5)


def test_attention_over_maps_is_the_weighted_sum_of_samples() -> None:
    shapes = [(8, 8), (4, 6)]
    generator = torch.Generator().manual_seed(3)
    value = torch.randn(2, 64 + 24, 3, 5, generator=generator)
    where = places(2, 11, 3, 2, 4)
    weights = torch.rand(2, 11, 3, 2, 4, generator=generator)
    expected = torch.zeros(2, 11, 3, 5)
    start = 0
    for level, (height, width) in enumerate(shapes):
        part = value[:, start : start + height * width]
        start += height * width
        for head in range(3):
            maps = part[:, :, head].transpose(1, 2).reshape(2, 5, height, width)
            grid = 2 * where[:, :, head, level] - 1
            seen = functional.grid_sample(maps, grid, align_corners=False)
            expected[:, :, head] += (seen * weights[:, None, :, head, level]).sum(-1).mT
    ours = deformable_attention(value, shapes, where, weights)
    torch.testing.assert_close(ours, expected.flatten(2), rtol=1e-5, atol=1e-5)
