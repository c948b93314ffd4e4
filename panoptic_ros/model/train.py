# SPDX-License-Identifier: Apache-2.0
"""Train the network on a COCO panoptic folder, in steps or in minutes, with resume."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.labels import LabelSet, to_json
from panoptic_ros.core.own_classes import name_of_classes
from panoptic_ros.data.coco.reader import CocoPanoptic
from panoptic_ros.data.known_classes import label_set
from panoptic_ros.model.augment import AugmentConfig
from panoptic_ros.model.checkpoint import load_checkpoint, network_of
from panoptic_ros.model.crops import Crops, open_split
from panoptic_ros.model.losses import panoptic_loss
from panoptic_ros.model.network import PanopticNetwork, load_imagenet_weights

CHECKPOINT = "last.pt"
BEST = "best.pt"
HISTORY = "history.jsonl"

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Validate = Callable[[PanopticNetwork, CocoPanoptic], dict[str, float]]
"""Scores the averaged weights; ``pq`` decides which checkpoint is kept as best."""


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
        validate_every: Steps between two validations, 0 for none.
        workers: Processes that make crops.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
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


@dataclass(frozen=True)
class Progress:
    """One line of the training history."""

    step: int
    minutes: float
    rate: float
    losses: dict[str, float]
    scores: dict[str, float]


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


def train(
    config: TrainConfig,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    validate: Validate | None = None,
) -> Path:
    """Train, or go on training, until the schedule ends.

    Args:
        config: What to do.
        on_progress: Called after every step.
        validate: Scores the averaged weights on the val split.

    Returns:
        The best checkpoint, or the last one where nothing was validated.

    Raises:
        ConfigError: A value is out of range or the device is not here.
        DataError: The data set cannot be read.
        ModelError: The checkpoint to go on from is damaged.
    """
    run = _Run(config, validate)
    for progress in run.steps():
        on_progress(progress)
    best = config.out / BEST
    return best if best.exists() else config.out / CHECKPOINT


class _Run:
    """State of one training process; one thread, owns the files in ``config.out``."""

    def __init__(self, config: TrainConfig, validate: Validate | None) -> None:
        _check(config)
        self.config = config
        self.validate = validate
        self.device = torch.device(config.device)
        self.train_data = open_split(config.data, "train")
        self.val_data = open_split(config.data, "val") if validate else None
        torch.manual_seed(config.seed)
        network = PanopticNetwork(len(self.train_data.categories))
        self.step, self.spent_s, self.best = 0, 0.0, -1.0
        last = config.out / CHECKPOINT
        if not last.exists():
            load_imagenet_weights(network.backbone)
        self.network = network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        _freeze_stem(self.network)
        self.optimizer = torch.optim.AdamW(
            _groups(self.network, config), lr=config.rate, weight_decay=config.weight_decay
        )
        self.mean = ExponentialMean(self.network, config.ema_decay)
        if last.exists():
            self._resume(load_checkpoint(last))
        config.out.mkdir(parents=True, exist_ok=True)
        shape = (1, 3, 1, 1)
        self.pixel_mean = 255.0 * torch.tensor(IMAGENET_MEAN, device=self.device).view(shape)
        self.pixel_std = 255.0 * torch.tensor(IMAGENET_STD, device=self.device).view(shape)

    def steps(self) -> Iterator[Progress]:
        started = time.monotonic() - self.spent_s
        loader = iter(self._loader())
        while self.step < self.config.steps and self._done() < 1.0:
            rate = self._set_rate()
            losses = self._one(next(loader))
            self.step += 1
            self.spent_s = time.monotonic() - started
            scores = self._validate() if self._due(self.config.validate_every) else {}
            if scores or self._due(self.config.save_every) or self._done() >= 1.0:
                self._save(self.config.out / CHECKPOINT, resume=True)
            progress = Progress(self.step, self.spent_s / 60.0, rate, losses, scores)
            self._record(progress)
            yield progress

    def _loader(self) -> DataLoader[Any]:
        config = self.config
        left = (config.steps - self.step) * config.batch
        crops = Crops(self.train_data, config.augment, config.seed * 1_000_003 + self.step, left)
        return DataLoader(
            crops,
            batch_size=config.batch,
            num_workers=config.workers,
            prefetch_factor=4 if config.workers else None,
            pin_memory=self.device.type == "cuda",
        )

    def _one(self, batch: list[Tensor]) -> dict[str, float]:
        image, *targets = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        x = ((image.float() - self.pixel_mean) / self.pixel_std).to(
            memory_format=torch.channels_last
        )
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            outputs = self.network(x)
        losses = panoptic_loss(outputs, tuple(targets))
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        self.mean.update(self.network, self.step)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _done(self) -> float:
        share = self.step / self.config.steps
        if self.config.minutes:
            share = max(share, self.spent_s / 60.0 / self.config.minutes)
        return min(1.0, share)

    def _set_rate(self) -> float:
        """Warm up over 100 steps, then fall along a cosine to a hundredth."""
        fall = 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * self._done()))
        factor = min(1.0, (self.step + 1) / 100.0) * fall
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        return self.config.rate * factor

    def _due(self, every: int) -> bool:
        return every > 0 and (self.step % every == 0 or self.step == self.config.steps)

    def _validate(self) -> dict[str, float]:
        if self.validate is None or self.val_data is None:
            return {}
        averaged = network_of({"classes": self._classes(), "weights": self.mean.state})
        scores = self.validate(averaged.to(self.device), self.val_data)
        if scores.get("pq", -1.0) > self.best:
            self.best = scores["pq"]
            self._save(self.config.out / BEST, resume=False, scores=scores)
        return scores

    def _classes(self) -> list[tuple[str, bool]]:
        return [(entry.name, entry.is_thing) for entry in self.train_data.categories]

    def _labels(self) -> LabelSet:
        """Describe the classes; the data set's folder gives the name of those of its own."""
        categories = self.train_data.categories
        names = [entry.name for entry in categories]
        return label_set(categories, name_of_classes(names, self.config.data.resolve().name))

    def _save(self, path: Path, resume: bool, scores: dict[str, float] | None = None) -> None:
        weights = self.mean.state
        state: dict[str, Any] = {
            "classes": self._classes(),
            "labels": to_json(self._labels()),
            "weights": weights if resume else {k: v.half() for k, v in weights.items()},
            "step": self.step,
            "scores": scores or {},
        }
        if resume:
            state |= {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "spent_s": self.spent_s,
                "best": self.best,
            }
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)

    def _resume(self, state: dict[str, Any]) -> None:
        try:
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.mean.state = {k: v.to(self.device) for k, v in state["weights"].items()}
            self.step, self.spent_s = int(state["step"]), float(state["spent_s"])
            self.best = float(state["best"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"{self.config.out / CHECKPOINT}: does not fit this data set or version "
                f"({error}); start in an empty folder"
            ) from error

    def _record(self, progress: Progress) -> None:
        with (self.config.out / HISTORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(progress)) + "\n")


def _check(config: TrainConfig) -> None:
    if any(side % 32 for side in config.augment.crop):
        raise ConfigError(f"crop {config.augment.crop}: both sides must be multiples of 32")
    if config.batch < 2:
        raise ConfigError(f"batch {config.batch}: batch norm needs at least 2")
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device {config.device}: this torch sees no CUDA GPU; use --device cpu")


def _freeze_stem(network: PanopticNetwork) -> None:
    """Keep the first layers as ImageNet left them: a tenth of the time, no gain in training."""
    for module in (network.backbone.stem, network.backbone.blocks[0]):
        for parameter in module.parameters():
            parameter.requires_grad_(False)


def _groups(network: PanopticNetwork, config: TrainConfig) -> list[dict[str, Any]]:
    """Group parameters: the backbone learns slower, norms and biases do not decay."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            key = (name.startswith("backbone."), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
    return [
        {
            "params": parameters,
            "peak": config.rate * (0.33 if backbone else 1.0),
            "weight_decay": config.weight_decay if decays else 0.0,
        }
        for (backbone, decays), parameters in groups.items()
    ]
