# SPDX-License-Identifier: Apache-2.0
"""The three losses, with Panoptic-DeepLab's weights (Cheng et al. 2020, equation 1)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from panoptic_ros.model.network import HeadOutputs

CENTER_WEIGHT = 200.0
OFFSET_WEIGHT = 0.05
HARD_SHARE = 0.3


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
        "semantic": hard_pixel_cross_entropy(outputs.semantic, semantic, semantic_weight),
        "center": CENTER_WEIGHT * error.sum() / center_weight.sum().clamp(min=1.0),
        "offset": OFFSET_WEIGHT * distance.sum() / offset_weight.sum().clamp(min=1.0),
    }


def hard_pixel_cross_entropy(scores: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """Average the cross-entropy over the hardest pixels (DeeperLab, Yang et al. 2019).

    Args:
        scores: Class scores, (N, C, h, w).
        labels: Class index, (N, H, W) uint8, 255 ignored; scores are up-sampled to it.
        weight: Weight of each pixel, (N, H, W).

    Returns:
        Mean over the ``HARD_SHARE`` hardest of the labelled pixels, plus a tenth of the mean over
        all of them, which keeps the easy ones from drifting.
    """
    wide = functional.interpolate(
        scores.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False
    )
    loss = functional.cross_entropy(wide, labels.long(), ignore_index=255, reduction="none")
    loss = (loss * weight).flatten()
    labelled = int((labels != 255).sum())
    if labelled == 0:
        return loss.sum() * 0.0
    hardest = torch.topk(loss, max(1, int(labelled * HARD_SHARE)), sorted=False).values
    return hardest.mean() + 0.1 * loss.sum() / labelled
