# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic train`` can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.model.training.augment import AugmentConfig
from panoptic_ros.model.training.schedule import PHASES, Phase


@dataclass(frozen=True)
class TrainConfig:
    """What ``panoptic train`` can be told.

    Attributes:
        data: COCO panoptic folder: ``train.json``, ``val.json``, ``images/``, ``panoptic/``.
        out: Folder of checkpoints and curves; training goes on from what lies there.
        steps: Length of the schedule; with ``minutes`` only an upper bound.
        minutes: Time budget over all resumes; the schedule follows the clock. 0 is no budget.
        batch: Crops per step.
        rate: Peak learning rate of AdamW; the backbone gets a third of it.
        validate_every: Steps between two validations; the last step is validated, too. 0 for none.
        workers: Processes that make crops.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        init: Checkpoint or exported model whose weights a new training starts from; None takes
            ImageNet's backbone.
        phases: How crops grow and layers open.
        cache_bytes: Memory per worker for decoded images and labels; 0 reads them every time.
    """

    data: Path
    out: Path
    steps: int = 20_000
    minutes: float = 0.0
    batch: int = 8
    rate: float = 1.5e-3
    weight_decay: float = 0.02
    ema_decay: float = 0.998
    save_every: int = 100
    validate_every: int = 1000
    workers: int = 1
    seed: int = 1
    device: str = "cpu"
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    init: Path | None = None
    phases: tuple[Phase, ...] = PHASES
    cache_bytes: int = 0


def check_config(config: TrainConfig) -> None:
    """Refuse what cannot be trained.

    Raises:
        ConfigError: A value is out of range, or the device is not here.
    """
    if any(side % 32 for side in config.augment.crop):
        raise ConfigError(f"crop {config.augment.crop}: both sides must be multiples of 32")
    view = config.augment.view
    if any(part > whole for part, whole in zip(config.augment.crop, view, strict=True)):
        raise ConfigError(
            f"crop {config.augment.crop} is larger than the view {view} that it is cut out of; "
            "give a larger --view or a smaller --crop"
        )
    if not 0.0 <= config.augment.zoom_probability <= 1.0:
        raise ConfigError(f"zoom {config.augment.zoom_probability}: is a share, from 0 to 1")
    if config.batch < 2:
        raise ConfigError(f"batch {config.batch}: batch norm needs at least 2")
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device {config.device}: this torch sees no CUDA GPU; use --device cpu")
