# SPDX-License-Identifier: Apache-2.0
"""Train the network on a COCO panoptic folder, in steps or in minutes, with resume."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from panoptic_ros.core.classes.label_documents import to_json
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.classes.own_classes import name_of_classes
from panoptic_ros.core.errors import DataError, ModelError
from panoptic_ros.data.coco.reader import CocoPanoptic
from panoptic_ros.data.known_classes import label_set
from panoptic_ros.model.checkpoint import (
    load_checkpoint,
    network_of,
    origin_of,
    save_checkpoint,
)
from panoptic_ros.model.network import (
    PanopticNetwork,
    load_imagenet_weights,
    pixel_statistics,
)
from panoptic_ros.model.training.averaging import ExponentialMean
from panoptic_ros.model.training.config import TrainConfig, check_config
from panoptic_ros.model.training.crops import Crops, OnSample, open_split, sample_batches
from panoptic_ros.model.training.history import History, Progress
from panoptic_ros.model.training.initialise import initialise, origin
from panoptic_ros.model.training.loading import batches
from panoptic_ros.model.training.losses import panoptic_loss
from panoptic_ros.model.training.schedule import crop_of, phase_at, rate_factor, set_trainable

CHECKPOINT = "last.pt"
BEST = "best.pt"
START = "start.pt"
"""The weights of ``--init`` as the training began with them, to be averaged with its result."""
SAMPLES = 25
"""Batches over which the batch norms of an exported model are restored."""

Validate = Callable[[PanopticNetwork, CocoPanoptic], dict[str, float]]
"""Scores the averaged weights; ``pq`` decides which checkpoint is kept as best."""


def train(
    config: TrainConfig,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    validate: Validate | None = None,
    on_new_classes: Callable[[list[str]], None] = lambda names: None,
    on_sample: OnSample = lambda done, count: None,
) -> Path:
    """Train, or go on training, until the schedule ends.

    Args:
        config: What to do.
        on_progress: Called after every step.
        validate: Scores the averaged weights on the val split.
        on_new_classes: Called at a start from ``init`` with the classes that it does not have.
        on_sample: Called at a start from an exported model while its batch norms are restored,
            with how many crops are used up and how many there are.

    Returns:
        The best checkpoint, or the last one where nothing was validated.

    Raises:
        ConfigError: A value is out of range or the device is not here.
        DataError: The data set cannot be read, or a checkpoint or the history cannot be written.
        ModelError: The checkpoint to go on from is damaged, ``init`` does not fit, or the weights
            diverge.
    """
    run = _Run(config, validate, on_new_classes, on_sample)
    with closing(run.steps()) as steps:
        for progress in steps:
            on_progress(progress)
    best = config.out / BEST
    return best if best.exists() else config.out / CHECKPOINT


class _Run:
    """State of one training process; one thread, owns the files in ``config.out``."""

    def __init__(
        self,
        config: TrainConfig,
        validate: Validate | None,
        on_new_classes: Callable[[list[str]], None],
        on_sample: OnSample,
    ) -> None:
        check_config(config)
        self.config = config
        self.validate = validate
        self.device = torch.device(config.device)
        self.train_data = open_split(config.data, "train")
        validates = validate is not None and config.validate_every > 0
        self.val_data = open_split(config.data, "val") if validates else None
        if self.val_data is not None:
            _check_classes(self.train_data, self.val_data)
        torch.manual_seed(config.seed)
        network = PanopticNetwork(len(self.train_data.categories))
        self.step, self.spent_s, self.best = 0, 0.0, -1.0
        self.origin = ("", "")
        self.ended = multiprocessing.Event()
        last = config.out / CHECKPOINT
        if not last.exists():
            on_new_classes(self._start(network, on_sample))
        self.network = network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.phase = -1
        self.is_unsaved = False
        self.half = _has_bfloat16(self.device)
        self.optimizer = torch.optim.AdamW(
            _groups(self.network, config), lr=config.rate, weight_decay=config.weight_decay
        )
        self.mean = ExponentialMean(self.network, config.ema_decay)
        if last.exists():
            self._resume(load_checkpoint(last))
        config.out.mkdir(parents=True, exist_ok=True)
        if config.init is not None and not last.exists():
            self._save(config.out / START, resume=False)
        self.history = History(config.out, self.step)
        self.pixel_mean, self.pixel_std = pixel_statistics(self.device)

    def _start(self, network: PanopticNetwork, on_sample: OnSample) -> list[str]:
        """Fill a network that has not been trained yet; name the classes new to ``init``."""
        config = self.config
        if config.init is None:
            load_imagenet_weights(network.backbone)
            return []
        names = [entry.name for entry in self.train_data.categories]
        crops = Crops(self.train_data, config.augment, config.seed, SAMPLES * config.batch)
        images = partial(sample_batches, crops, config.batch, on_sample)
        new = initialise(network, config.init, names, images)
        self.origin = origin(config.init)
        return new

    def steps(self) -> Generator[Progress, None, None]:
        """Train step by step; whatever ends the loop, the state reached is saved."""
        try:
            yield from self._steps()
        finally:
            if self.is_unsaved:
                self._save(self.config.out / CHECKPOINT, resume=True)
            self.ended.set()

    def _steps(self) -> Iterator[Progress]:
        started = time.monotonic() - self.spent_s
        loader: Iterator[list[Tensor]] = iter(())
        while self.step < self.config.steps and self._done() < 1.0:
            rate = self._set_rate()
            if self._enter_phase():
                loader = self._batches()
            losses = self._one(next(loader))
            self.step += 1
            self.is_unsaved = True
            self.spent_s = time.monotonic() - started
            ended = self._done() >= 1.0
            every = self.config.validate_every
            scores = self._validate() if every and (ended or self._due(every)) else {}
            if scores or ended or self._due(self.config.save_every):
                self._save(self.config.out / CHECKPOINT, resume=True)
            progress = Progress(self.step, self.spent_s / 60.0, rate, losses, scores)
            self.history.add(progress)
            yield progress

    def _enter_phase(self) -> bool:
        """Open the layers of a phase that begins; say whether one does."""
        index = phase_at(self.config.phases, self._done())
        if index == self.phase:
            return False
        self.phase = index
        set_trainable(self.network, self.config.phases[index])
        return True

    def _batches(self) -> Iterator[list[Tensor]]:
        config = self.config
        left = (config.steps - self.step) * config.batch
        size = crop_of(config.phases[self.phase], config.augment.crop)
        augment = replace(config.augment, crop=size, base=config.augment.view)
        seed = config.seed * 1_000_003 + self.step
        crops = Crops(self.train_data, augment, seed, left, config.cache_bytes)
        is_pinned = self.device.type == "cuda"
        return batches(crops, config.batch, config.workers, self.ended, is_pinned)

    def _one(self, batch: list[Tensor]) -> dict[str, float]:
        image, *targets = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        x = ((image.float() - self.pixel_mean) / self.pixel_std).to(
            memory_format=torch.channels_last
        )
        self.network.train()
        half = self.half and is_safe_in_bfloat16((x.shape[-1], x.shape[-2]))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            outputs = self.network(x)
        losses = panoptic_loss(outputs, tuple(targets))
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        if not torch.isfinite(norm):
            # The weights are still those of the step before, and are kept.
            raise ModelError(
                f"step {self.step + 1}: the gradient is not finite; train with a lower --rate"
            )
        self.optimizer.step()
        self.mean.update(self.network, self.step)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _done(self) -> float:
        share = self.step / self.config.steps
        if self.config.minutes:
            share = max(share, self.spent_s / 60.0 / self.config.minutes)
        return min(1.0, share)

    def _set_rate(self) -> float:
        factor = rate_factor(self.step, self._done())
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        return self.config.rate * factor

    def _due(self, every: int) -> bool:
        return every > 0 and self.step % every == 0

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
            "origin": self.origin,
        }
        if resume:
            state |= {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "spent_s": self.spent_s,
                "best": self.best,
            }
            self.is_unsaved = False
        save_checkpoint(state, path)

    def _resume(self, state: dict[str, Any]) -> None:
        try:
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.mean.state = {k: v.to(self.device) for k, v in state["weights"].items()}
            self.step, self.spent_s = int(state["step"]), float(state["spent_s"])
            self.best = float(state["best"])
            self.origin = origin_of(state)
        except (KeyError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"{self.config.out / CHECKPOINT}: does not fit this data set or version "
                f"({error}); start in an empty folder"
            ) from error


def _check_classes(train: CocoPanoptic, val: CocoPanoptic) -> None:
    """Refuse to validate on classes that are not learned.

    Raises:
        DataError: The validation images have such a class.
    """
    learned = {category.name for category in train.categories}
    if others := [entry.name for entry in val.categories if entry.name not in learned]:
        raise DataError(
            f"val.json has the classes {', '.join(others)}, which train.json lacks; give both the "
            "same categories, or leave val.json out with --validate-every 0"
        )


def _has_bfloat16(device: torch.device) -> bool:
    """Say whether bfloat16 is fast: a CPU without the instructions takes ten times as long."""
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported())
    return True


def is_safe_in_bfloat16(crop: tuple[int, int]) -> bool:
    """Say whether all gradients of a crop are computed in bfloat16.

    Of a convolution with stride 2 over a single pixel, PyTorch's kernels for CPUs (oneDNN, seen
    with 2.13) leave the gradient of most weights as the memory was. The last one of the pyramid
    takes maps of stride 64.

    Args:
        crop: (width, height).
    """
    return max(crop) > 64


def _groups(network: PanopticNetwork, config: TrainConfig) -> list[dict[str, Any]]:
    """Group parameters: the backbone learns slower, norms and biases do not decay."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
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
