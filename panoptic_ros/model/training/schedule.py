# SPDX-License-Identifier: Apache-2.0
"""The phases of a training: crops grow and layers open as the schedule goes on.

Nearly half of a step's time on a CPU is the backward pass of depthwise convolutions. ImageNet's
depthwise weights serve well until the heads have learned, so they open last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from panoptic_ros.model.network import PanopticNetwork


@dataclass(frozen=True)
class Phase:
    """One part of a schedule.

    Attributes:
        until: Share of the schedule at which it ends, 0 to 1.
        crop_scale: Side of the crops as a share of the configured crop.
        frozen_blocks: Backbone blocks, from the first, that do not learn; the stem never does.
        trains_depthwise: Whether depthwise convolutions of the backbone learn.
    """

    until: float
    crop_scale: float
    frozen_blocks: int
    trains_depthwise: bool


PHASES = (
    Phase(until=1 / 3, crop_scale=0.75, frozen_blocks=5, trains_depthwise=False),
    Phase(until=2 / 3, crop_scale=1.0, frozen_blocks=3, trains_depthwise=False),
    Phase(until=1.0, crop_scale=1.0, frozen_blocks=1, trains_depthwise=True),
)


def phase_at(phases: tuple[Phase, ...], done: float) -> int:
    """Return the index of the phase in force when a share ``done`` of the schedule is over."""
    return next((i for i, phase in enumerate(phases) if done < phase.until), len(phases) - 1)


def warm_up(step: int, done: float) -> float:
    """Return the factor of the learning rate, 0 to 1, while a training warms up.

    Args:
        step: Steps before this one.
        done: Share of the schedule that is over, by steps or by the clock.

    Returns:
        1 from step 100 on, or once a twentieth of the schedule is over: a training of few
        minutes would otherwise end before it has warmed up.
    """
    return min(1.0, max((step + 1) / 100.0, done / 0.05))


def rate_factor(step: int, done: float) -> float:
    """Return the factor of the learning rate: after the warm-up a cosine to a hundredth.

    Args:
        step: Steps before this one.
        done: Share of the schedule that is over, 0 to 1.

    >>> rate_factor(1000, 0.0), round(rate_factor(1000, 0.5), 3), round(rate_factor(1000, 1.0), 2)
    (1.0, 0.505, 0.01)
    """
    fall = 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * done))
    return warm_up(step, done) * fall


def crop_of(phase: Phase, crop: tuple[int, int]) -> tuple[int, int]:
    """Scale a crop (width, height) to the phase's, in multiples of 32 px."""
    width, height = (max(32, round(side * phase.crop_scale / 32) * 32) for side in crop)
    return width, height


def set_trainable(network: PanopticNetwork, phase: Phase) -> None:
    """Freeze and open the layers of the backbone as a phase wants it, in place.

    Batch norm keeps updating its statistics everywhere.
    """
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    backbone = network.backbone
    for module in (backbone.stem, *backbone.blocks[: phase.frozen_blocks]):
        for parameter in module.parameters():
            parameter.requires_grad_(False)
    if not phase.trains_depthwise:
        for module in backbone.modules():
            if isinstance(module, nn.Conv2d) and module.groups > 1:
                module.weight.requires_grad_(False)
