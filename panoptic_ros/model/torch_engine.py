# SPDX-License-Identifier: Apache-2.0
"""Run a network in training behind the same seam as every engine, so that scores compare."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.core.types import Heads
from panoptic_ros.model.export import ExportedNetwork
from panoptic_ros.model.network import PanopticNetwork


class TorchEngine(Closing):
    """The graph that ``export`` would write, in PyTorch.

    Args:
        network: Copied, stays usable for training.
        spec: Size and classes.
        label_scale: As in ``export``.
    """

    def __init__(self, network: PanopticNetwork, spec: ModelSpec, label_scale: int = 4) -> None:
        self._spec = spec
        self._device = next(network.parameters()).device
        graph = ExportedNetwork(copy.deepcopy(network), label_scale)
        self._graph = graph.to(self._device).eval()
        self._input = np.zeros((spec.height, spec.width, 3), np.uint8)

    @property
    def spec(self) -> ModelSpec:
        """Size and classes."""
        return self._spec

    @property
    def description(self) -> str:
        """One line for a log."""
        return f"{self._spec.name} on PyTorch {torch.__version__} ({self._device})"

    @property
    def input(self) -> NDArray[np.uint8]:
        """Buffer for the next image, (height, width, 3) uint8 RGB."""
        return self._input

    @torch.no_grad()
    def infer(self, image: NDArray[np.uint8]) -> Heads:
        """Run the network on RGB (height, width, 3) uint8."""
        maps = self._graph(torch.from_numpy(image)[None].to(self._device))
        return CenterOffsetHeads(*(values[0].cpu().numpy() for values in maps))

    def close(self) -> None:
        """Nothing to free: PyTorch owns the memory."""
