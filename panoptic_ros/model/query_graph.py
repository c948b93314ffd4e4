# SPDX-License-Identifier: Apache-2.0
"""A mask-classification network between a uint8 image and the maps of ``QueryHeads``.

All that touches every query at every pixel is here, so that it lands in the ONNX graph: soft-max,
up-sampling, sigmoid, arg-max, areas of masks. What is left for the decoder are maps of one byte a
pixel and lists of one entry a query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

Logits = tuple[Tensor, Tensor]
"""Class logits (1, Q, classes + 1), the last for "no object", and mask logits (1, Q, h, w)."""

_PAGE, _APART = 1024, 112
"""Float32 numbers: as many as are 4096 bytes, and how far maps lie from a multiple of it."""


class QueryMaps(NamedTuple):
    """``QueryHeads`` with a batch of one in front."""

    queries: Tensor
    confidence: Tensor
    query_labels: Tensor
    query_scores: Tensor
    query_areas: Tensor


@dataclass(frozen=True)
class ArgMaxRule:
    """How a family's own post-processing turns masks into winners.

    Attributes:
        scores: From mask logits (1, K, h, w), class probabilities (1, K) and a size (height,
            width) to two maps (1, K, height, width): class times mask probability, whose largest
            wins the pixel, and what says whether the pixel is in the query's own mask.
        clipped: Whether a query gets only the pixels of its own mask.
        threshold: Class probability above which a query takes part.
        mask_threshold: From where on a pixel is in a mask.
        most: Most queries that take part; the surest are taken.
    """

    scores: Callable[[Tensor, Tensor, tuple[int, int]], tuple[Tensor, Tensor]]
    clipped: bool
    threshold: float
    mask_threshold: float = 0.5
    most: int = 50


class QueryNetwork(nn.Module):
    """Normalisation, a network, and its post-processing.

    Args:
        network: The network in evaluation mode.
        run: Calls it with a normalised image (1, 3, H, W).
        rule: Its post-processing.
        map_size: (height, width) of the maps.
        mean: Of each channel, after scaling to 0..1.
        deviation: Of each channel.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        network: nn.Module,
        run: Callable[[nn.Module, Tensor], Logits],
        rule: ArgMaxRule,
        map_size: tuple[int, int],
        mean: tuple[float, float, float],
        deviation: tuple[float, float, float],
    ) -> None:
        super().__init__()
        self.network = network
        self.run = run
        self.rule = rule
        self.map_size = map_size
        self.register_buffer("scale", 1.0 / (255.0 * torch.tensor(deviation)).view(1, 3, 1, 1))
        shift = -torch.tensor(mean) / torch.tensor(deviation)
        self.register_buffer("shift", shift.view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> QueryMaps:
        """Run on one image.

        Args:
            image: RGB, (1, H, W, 3) uint8.
        """
        pixels = image.permute(0, 3, 1, 2).float() * self.scale + self.shift
        return query_maps(*self.run(self.network, pixels), self.rule, self.map_size)


def query_maps(
    class_logits: Tensor, mask_logits: Tensor, rule: ArgMaxRule, map_size: tuple[int, int]
) -> QueryMaps:
    """Let the queries compete for every pixel.

    Args:
        class_logits: (1, Q, classes + 1), the last for "no object".
        mask_logits: (1, Q, h, w).
        rule: Who wins.
        map_size: (height, width) of the maps.
    """
    # Cut to one image, so that nobody gives the graph a batch: order and weights below are of
    # the first image, and the shapes tell ``panoptic build --batch`` to refuse.
    class_logits, mask_logits = class_logits[:1], mask_logits[:1]
    scores, labels = functional.softmax(class_logits, -1).max(-1)
    takes_part = (labels != class_logits.shape[-1] - 1) & (scores > rule.threshold)
    weights = torch.where(takes_part, scores, torch.zeros_like(scores))
    if weights.shape[1] > rule.most:
        weights, order = weights.topk(rule.most, dim=1)
        scores, labels = weights, labels.gather(1, order)
        mask_logits = mask_logits.index_select(1, order[0])
    shares, measured = rule.scores(mask_logits, weights, map_size)
    winner = _winner(shares, map_size)
    # Picked, not searched again: ONNX Runtime's maximum costs as much as its arg-max.
    best = shares.gather(1, winner[:, None])[:, 0]
    own = measured >= rule.mask_threshold
    confidence = (best * 255.0 + 0.5).clamp(1.0, 255.0)
    if rule.clipped:
        inside = best >= rule.mask_threshold * weights[0][winner]
        confidence = torch.where(inside, confidence, torch.zeros_like(confidence))
    number = torch.where(best > 0.0, winner.float() + 1.0, torch.zeros_like(best))
    known = torch.where(weights > 0.0, labels.float(), torch.full_like(weights, 255.0))
    # TensorRT makes uint8 outputs from floats only, so integers take the detour.
    return QueryMaps(
        queries=number.to(torch.uint8),
        confidence=confidence.to(torch.uint8),
        query_labels=known.to(torch.uint8),
        query_scores=scores,
        query_areas=own.float().sum((2, 3)).to(torch.int32),
    )


def _winner(shares: Tensor, map_size: tuple[int, int]) -> Tensor:
    """Number of the query with the largest share of each pixel, the first of equals.

    ONNX Runtime looks at a pixel of one query after the other. Where maps are a multiple of 4096
    bytes, as most are, these all fall to the same few lines of a CPU's cache and push each other
    out. Spare pixels behind each map spread them, which saves up to a third of the CPU time of
    the post-processing, and costs a copy of the shares.

    Args:
        shares: (1, K, height, width).
        map_size: (height, width), as numbers that the graph's shapes are fixed with.

    Returns:
        0..K - 1, (1, height, width).
    """
    queries, pixels = shares.shape[1], map_size[0] * map_size[1]
    spare = shares.new_zeros(1, queries, (_APART - pixels) % _PAGE)
    spread = torch.cat((shares.flatten(2), spare), 2)
    return spread.argmax(1)[:, :pixels].reshape(1, *map_size)


def resize_then_sigmoid(
    mask_logits: Tensor, weights: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Up-sample logits; a mask is where its own probability is high: EoMT."""
    likely = _resized(mask_logits, size).sigmoid()
    return likely * weights[:, :, None, None], likely


def sigmoid_then_resize(
    mask_logits: Tensor, weights: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Up-sample probabilities; a mask is where the product is high: OneFormer.

    Weighted before up-sampling: the same, over fewer pixels.
    """
    shares = _resized(mask_logits.sigmoid() * weights[:, :, None, None], size)
    return shares, shares


def through_384(
    mask_logits: Tensor, weights: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Resize logits to 384x384 whatever the image's shape, as transformers does: Mask2Former."""
    return sigmoid_then_resize(_resized(mask_logits, (384, 384)), weights, size)


def _resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(maps.shape[-2:]) == size:
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)
