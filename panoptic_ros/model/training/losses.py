# SPDX-License-Identifier: Apache-2.0
"""The three losses, with Panoptic-DeepLab's weights (Cheng et al. 2020, equation 1)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from panoptic_ros.model.network import HeadOutputs

CENTER_WEIGHT = 200.0
OFFSET_WEIGHT = 0.05


def panoptic_loss(outputs: HeadOutputs, targets: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """Compute the losses of one batch.

    Args:
        outputs: What the network said.
        targets: The six fields of ``Targets`` in order, batched.

    Returns:
        Scalars ``semantic``, ``center`` and ``offset``, already weighted; train on their sum.
    """
    semantic, semantic_weight, center, center_weight, offset, offset_weight = targets
    error = (outputs.center.float() - center).square() * center_weight
    distance = (outputs.offset.float() - offset).abs().sum(1, keepdim=True) * offset_weight
    return {
        "semantic": semantic_cross_entropy(outputs.semantic, semantic, semantic_weight),
        "center": CENTER_WEIGHT * error.sum() / center_weight.sum().clamp(min=1.0),
        "offset": OFFSET_WEIGHT * distance.sum() / offset_weight.sum().clamp(min=1.0),
    }


def semantic_cross_entropy(scores: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """Average the weighted cross-entropy over the labelled pixels.

    The hardest pixels alone (DeeperLab, Yang et al. 2019) are mostly those whose label is wrong
    where labels have soft borders.

    Args:
        scores: Class scores, (N, C, h, w).
        labels: Class index, (N, H, W) uint8, 255 ignored; scores are up-sampled to it.
        weight: Weight of each pixel, (N, H, W).

    Returns:
        Sum of the weighted losses over the number of labelled pixels.
    """
    wide = functional.interpolate(
        scores.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False
    )
    loss = functional.cross_entropy(wide, labels.long(), ignore_index=255, reduction="none")
    return (loss * weight).sum() / (labels != 255).sum().clamp(min=1)
