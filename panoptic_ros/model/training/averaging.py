# SPDX-License-Identifier: Apache-2.0
"""Averaged weights, which score better than those of any one step."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ExponentialMean:
    """Averaged copy of a network's weights; statistics of batch norm are averaged too."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in _tensors(network)}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards the network's weights; the first steps count more."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        for name, value in _tensors(network):
            self.state[name].lerp_(value, 1.0 - decay)


def _tensors(network: nn.Module) -> list[tuple[str, Tensor]]:
    return [
        (name, value) for name, value in network.state_dict().items() if value.is_floating_point()
    ]
