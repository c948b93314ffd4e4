# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic train`` can be told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import torch

from panoptic_ros.core.errors import ConfigError, counted
from panoptic_ros.core.files.limits import check_multiples
from panoptic_ros.model.training.augment import AugmentConfig
from panoptic_ros.model.training.schedule import PHASES, Phase

_CUDA = re.compile(r"cuda(:\d{1,3})?")


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
    crop, view = config.augment.crop, config.augment.view
    crop_words, view_words = (f"{width}x{height}" for width, height in (crop, view))
    check_multiples(f"crop {crop_words}", crop, 32)
    if any(part > whole for part, whole in zip(crop, view, strict=True)):
        raise ConfigError(
            f"crop {crop_words} is larger than the view {view_words} that it is cut out of; "
            "give a larger --view or a smaller --crop"
        )
    if not 0.0 <= config.augment.zoom_probability <= 1.0:
        raise ConfigError(f"zoom {config.augment.zoom_probability}: is a share, from 0 to 1")
    if config.batch < 2:
        raise ConfigError(f"batch {config.batch}: batch norm needs at least 2")
    _check_numbers(config)
    _check_device(config.device)


def _check_device(name: str) -> None:
    """Refuse a device that is not here, and one of a kind on which training was never run."""
    if name == "cpu":
        return
    if not _CUDA.fullmatch(name):
        raise ConfigError(f"--device {name}: needs cpu, cuda or cuda:N")
    if not torch.cuda.is_available():
        raise ConfigError(f"--device {name}: this torch sees no CUDA GPU; use --device cpu")
    count = torch.cuda.device_count()
    if int(name.partition(":")[2] or 0) >= count:
        raise ConfigError(
            f"--device {name}: this torch sees {counted(count, 'CUDA GPU')}, the last is "
            f"cuda:{count - 1}"
        )


def _check_numbers(config: TrainConfig) -> None:
    """Refuse numbers out of range, such as a schedule without a step."""
    needs = (
        ("steps", config.steps, config.steps >= 1, "at least 1"),
        ("minutes", config.minutes, 0.0 <= config.minutes < inf, "0 (no limit) or more"),
        ("rate", config.rate, 0.0 <= config.rate < inf, "a number of 0 or more"),
        ("validate-every", config.validate_every, config.validate_every >= 0, "0 (never) or more"),
        ("workers", config.workers, config.workers >= 0, "0 (none beside this one) or more"),
    )
    for name, value, is_good, need in needs:
        if not is_good:
            raise ConfigError(f"{name} is {value}, needs {need}")
