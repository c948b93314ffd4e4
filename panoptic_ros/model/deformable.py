# SPDX-License-Identifier: Apache-2.0
"""Deformable attention with gathers in place of ``grid_sample``.

Source: Zhu et al. 2021, "Deformable DETR", eq. 3. TensorRT 10.14 to 11.1 computes GridSample
wrongly without a word (NVIDIA/TensorRT #4813, #4646); a gather of rows and a matrix product mean
the same and are computed rightly everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Shapes = Sequence[tuple[int, int]]


def deformable_attention(
    value: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor
) -> Tensor:
    """Sum values at sampled places of several maps.

    Args:
        value: Values of all maps one behind the other, (B, sum of h * w, heads, C).
        shapes: (h, w) of each map.
        locations: (x, y) of the places, 0..1 over the map, (B, Q, heads, maps, P, 2).
        weights: Weight of each place, (B, Q, heads, maps, P).

    Returns:
        (B, Q, heads * C).
    """
    batch, _, heads, channels = value.shape
    queries, points = locations.shape[1], locations.shape[4]
    total = value.new_zeros(batch * heads, queries, 1, channels)
    start = 0
    for level, (height, width) in enumerate((int(h), int(w)) for h, w in shapes):
        rows = value[:, start : start + height * width].transpose(1, 2).reshape(-1, channels)
        start += height * width
        places = locations[:, :, :, level].transpose(1, 2).flatten(0, 1)
        share = weights[:, :, :, level].transpose(1, 2).reshape(-1, queries, points, 1)
        index, corners = bilinear_corners(places, height, width)
        picked = rows.index_select(0, index.flatten())
        picked = picked.view(batch * heads, queries, points * 4, channels)
        total = total + (corners * share).flatten(2).unsqueeze(2) @ picked
    return total.view(batch, heads, queries, channels).transpose(1, 2).flatten(2)


def bilinear_corners(places: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Find the four pixels around each place, and their weights.

    The same as ``grid_sample(..., padding_mode="zeros", align_corners=False)``: the middle of the
    first pixel is at 0.5 / width, and what lies outside of the map counts as 0.

    Args:
        places: (x, y), 0..1 over the map, (N, Q, P, 2).
        height: Of the map.
        width: Of the map.

    Returns:
        Row numbers among the N * height * width pixels of all maps, (N, Q, P, 4) int32, and
        weights of the same shape.
    """
    x = places[..., 0] * width - 0.5
    y = places[..., 1] * height - 0.5
    left, top = x.floor(), y.floor()
    right_share, lower_share = x - left, y - top
    indices, shares = [], []
    for row, row_share in ((top, 1.0 - lower_share), (top + 1.0, lower_share)):
        for column, column_share in ((left, 1.0 - right_share), (left + 1.0, right_share)):
            row_inside, column_inside = row.clamp(0, height - 1), column.clamp(0, width - 1)
            inside = (row == row_inside) & (column == column_inside)
            # Numbers of pixels are exact in float32 below 2^24.
            indices.append(row_inside * width + column_inside)
            shares.append(row_share * column_share * inside.to(places.dtype))
    first = torch.arange(places.shape[0], dtype=places.dtype, device=places.device)
    first = (first * (height * width)).view(-1, 1, 1, 1)
    return (torch.stack(indices, -1) + first).to(torch.int32), torch.stack(shares, -1)
