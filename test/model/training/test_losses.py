# SPDX-License-Identifier: Apache-2.0
"""What a wrong pixel costs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.model.training.losses import semantic_cross_entropy  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_double_weight_doubles_a_pixels_loss() -> None:
    scores = torch.tensor([[1.0, -0.5, 0.25, 2.0], [0.0, 1.5, -1.0, 0.5]]).view(1, 2, 2, 2)
    labels = torch.tensor([[[0, 1], [1, 255]]], dtype=torch.uint8)
    plain = torch.ones(1, 2, 2)
    doubled, alone = plain.clone(), torch.zeros(1, 2, 2)
    doubled[0, 1, 0], alone[0, 1, 0] = 2.0, 1.0
    all_pixels, more, one = (
        float(semantic_cross_entropy(scores, labels, weight)) for weight in (plain, doubled, alone)
    )
    assert one > 0.1
    assert more - all_pixels == pytest.approx(one, rel=1e-5)
