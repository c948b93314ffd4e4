# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the parts of transformers whose graphs TensorRT refuses or computes wrongly.

They hold while a network is exported and are taken back afterwards: deformable attention without
GridSample, the one product of queries and pixels as a matrix product in place of Einsum, and
attention masks without data-dependent indexing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.model.deformable import deformable_attention

_MASK_PRODUCT = "bqc,bchw->bqhw"
_einsum = torch.einsum


@contextmanager
def portable_parts() -> Iterator[None]:
    """Exchange the parts for the time of a ``with`` block; not for two threads at once.

    Raises:
        ConfigError: This transformers is built otherwise.
    """
    import transformers
    from transformers.models.mask2former import modeling_mask2former as mask2former
    from transformers.models.oneformer import modeling_oneformer as oneformer

    points = staticmethod(_reference_points)
    exchanges: list[tuple[Any, str, Any]] = [
        (mask2former.Mask2FormerPixelDecoderEncoderOnly, "get_reference_points", points),
        (oneformer.OneFormerPixelDecoderEncoderOnly, "get_reference_points", points),
        (mask2former, "multi_scale_deformable_attention", deformable_attention),
        (oneformer, "multi_scale_deformable_attention", deformable_attention),
        (oneformer.OneFormerTransformerDecoderLayer, "forward", _decoder_layer),
        (torch, "einsum", _product),
    ]
    for owner, name, _ in exchanges:
        if name not in vars(owner):
            raise ConfigError(
                f"transformers {transformers.__version__} has no {owner.__name__}.{name}; the "
                "exporter knows 5.20 to 5.23: pip install 'transformers>=5.20,<5.24'"
            )
    before = [vars(owner)[name] for owner, name, _ in exchanges]
    try:
        for owner, name, stand_in in exchanges:
            setattr(owner, name, stand_in)
        yield
    finally:
        for (owner, name, _), part in zip(exchanges, before, strict=True):
            setattr(owner, name, part)


def _reference_points(
    spatial_shapes_list: Any, valid_ratios: Tensor, device: Any = None
) -> Tensor:
    """Middles of all pixels of all maps, (1, pixels, maps, 2), as stored numbers.

    The original computes them in float64 from sizes that never change here.
    """
    middles = []
    for height, width in ((int(h), int(w)) for h, w in spatial_shapes_list):
        y, x = np.meshgrid(
            (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij"
        )
        middles.append(np.stack((x.ravel(), y.ravel()), -1))
    points = np.concatenate(middles)[None, :, None].repeat(len(spatial_shapes_list), 2)
    return torch.from_numpy(points.astype(np.float32))


def _product(equation: str, *operands: Any) -> Tensor:
    """Multiply queries with pixels; every other equation goes to PyTorch."""
    if equation.replace(" ", "") != _MASK_PRODUCT:
        return _einsum(equation, *operands)
    queries, pixels = operands
    height, width = pixels.shape[-2:]
    product = torch.matmul(queries, pixels.flatten(2))
    return product.view(*product.shape[:2], height, width)


def _decoder_layer(
    self: Any,
    index: int,
    output: Tensor,
    multi_stage_features: Any,
    multi_stage_positional_embeddings: Any,
    attention_mask: Any = None,
    query_embeddings: Any = None,
    output_attentions: bool = False,
) -> tuple[Tensor, ...]:
    """Run OneFormer's decoder layer; a query that may look nowhere may look everywhere."""
    level = index % self.num_feature_levels
    blocked = attention_mask.to(torch.float32).amin(-1, keepdim=True) > 0.5
    output, _ = self.cross_attn(
        output,
        multi_stage_features[level],
        memory_mask=attention_mask & ~blocked,
        memory_key_padding_mask=None,
        pos=multi_stage_positional_embeddings[level],
        query_pos=query_embeddings,
    )
    output, _ = self.self_attn(
        output, output_mask=None, output_key_padding_mask=None, query_pos=query_embeddings
    )
    return (self.ffn(output),)
