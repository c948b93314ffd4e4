# SPDX-License-Identifier: Apache-2.0
"""Add a constant to each stuff class's score: the highest mean IoU on labelled images.

A loss that weighs rare classes up, and images drawn by what they hold, leave the scores of a
trained network with the wrong share of each class. Source: post-hoc logit adjustment (Menon et
al., ICLR 2021, arXiv 2007.07314, section 4), with constants found on labelled images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.geometry import shrink
from panoptic_ros.core.types import VOID
from panoptic_ros.data.coco.reader import CocoPanoptic
from panoptic_ros.model.network import IMAGENET_MEAN, IMAGENET_STD, PanopticNetwork
from panoptic_ros.model.training.augment import Labelled
from panoptic_ros.model.training.crops import load

_PIXELS_PER_IMAGE = 3000
_STEPS = (1.0, 0.5, 0.25)
_LARGEST = 2.0


@dataclass(frozen=True, eq=False)
class Balance:
    """What balancing found.

    Attributes:
        constants: Added to the score of each class, (C,) float32.
        before: Mean IoU of the pixels looked at, 0 to 1, as the network was.
        after: The same with the constants.
        images: Number of images looked at.
    """

    constants: NDArray[np.float32]
    before: float
    after: float
    images: int


def balance_classes(
    network: PanopticNetwork,
    data: CocoPanoptic,
    size: tuple[int, int],
    images: int = 600,
    seed: int = 1,
) -> Balance:
    """Balance the scores of a network's stuff classes on images of a data set, in place.

    Things keep their scores: which of their pixels count is decided by their centres, and a rare
    thing in few of the images says too little about a constant for it.

    Args:
        network: The trained network; the bias of its last semantic layer changes.
        data: Labelled images, best those that it learned from; pseudo-labels are left out where
            the data set says which they are.
        size: (width, height) at which the network will run.
        images: Most images to draw.
        seed: Which are drawn.

    Raises:
        DataError: An image cannot be read, or no pixel has a label.
    """
    rng = np.random.default_rng(seed)
    trusted = [record for record in data.records if record.labels != "pseudo"]
    count = min(images, len(trusted))
    chosen = [trusted[index] for index in rng.choice(len(trusted), count, replace=False)]
    class_of = {entry.id: index for index, entry in enumerate(data.categories)}
    things = np.array([entry.is_thing for entry in data.categories])
    truths = (load(record, class_of, things) for record in chosen)
    pairs = [_scored_pixels(network, truth, size, rng) for truth in truths]
    labels = np.concatenate([labels for _, labels in pairs]) if pairs else np.empty(0, np.uint8)
    if labels.size == 0:
        raise DataError(f"{count} images of the data set hold no labelled pixel to balance on")
    scores = np.concatenate([scores for scores, _ in pairs])
    constants, before, after = best_constants(scores, labels, np.flatnonzero(~things).tolist())
    _add_to_scores(network, constants)
    return Balance(constants, before, after, count)


def weigh_ground(network: PanopticNetwork, labels: LabelSet, cost: float) -> list[str]:
    """Score ground that is not for driving higher, as it costs more to take it for road.

    Where scores are log-probabilities, the class of least expected cost is the one of highest
    score once a class has ln(cost) more that costs ``cost`` times as much to miss (Elkan, IJCAI
    2001, section 1).

    Args:
        network: The trained network; the bias of its last semantic layer changes.
        labels: Its classes; pavement and terrain are weighed unless they are drivable.
        cost: Of a pixel of theirs that is called road, relative to one of road called theirs.

    Returns:
        Names of the classes whose scores rose.

    Raises:
        ConfigError: The cost is not above 0, or there is no such class.
    """
    if not (math.isfinite(cost) and cost > 0):
        raise ConfigError(f"--ground-cost is {cost:g}, needs more than 0")
    is_ground = (labels.pavement | labels.terrain) & ~labels.drivable & ~labels.things
    ground = np.flatnonzero(is_ground)
    if ground.size == 0:
        raise ConfigError(
            "--ground-cost: the label set has neither pavement nor terrain; leave it out, or say "
            "which they are with --labels"
        )
    constants = np.zeros(len(labels), np.float32)
    constants[ground] = math.log(cost)
    _add_to_scores(network, constants)
    return [labels.labels[index].name for index in ground.tolist()]


def _add_to_scores(network: PanopticNetwork, constants: NDArray[np.float32]) -> None:
    last = network.semantic[-1]
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    with torch.no_grad():
        last.bias += torch.from_numpy(constants).to(last.bias.device)


def best_constants(
    scores: NDArray[np.float32], labels: NDArray[np.uint8], classes: Sequence[int]
) -> tuple[NDArray[np.float32], float, float]:
    """Search one constant per class by coordinate ascent on the mean IoU.

    Over the pixels of the classes that get one, the constants' mean is 0: the others keep their
    place.

    Args:
        scores: Scores of N pixels, (N, C).
        labels: True class of each, (N,) below C.
        classes: Those that get a constant if they occur; the others keep 0.

    Returns:
        The constants, (C,); the mean IoU over the classes that occur before and after.
    """
    constants = np.zeros(scores.shape[1], np.float32)
    occur = [index for index in classes if np.any(labels == index)]
    best = before = _mean_iou(scores, labels)
    for step in _STEPS:
        for index in (*occur, *occur):
            for change in (-step, step):
                trial = constants.copy()
                trial[index] += change
                if abs(trial[index]) > _LARGEST:
                    continue
                reached = _mean_iou(scores + trial, labels)
                if reached > best + 1e-5:
                    best, constants = reached, trial
    if occur:
        pixels = np.bincount(labels, minlength=scores.shape[1])[occur]
        constants[occur] -= np.average(constants[occur], weights=pixels)
    return constants, before, _mean_iou(scores + constants, labels)


def _mean_iou(scores: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    classes = scores.shape[1]
    pairs = labels.astype(np.int64) * classes + scores.argmax(1)
    counts = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    hits, truth = np.diag(counts), counts.sum(1)
    union = truth + counts.sum(0) - hits
    occurs = truth > 0
    return float((hits[occurs] / union[occurs]).mean())


@torch.no_grad()
def _scored_pixels(
    network: PanopticNetwork,
    truth: Labelled,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the class scores, (N, C), and the truth, (N,), of random labelled pixels."""
    seen = shrink(truth.image, np.empty((size[1], size[0], 3), np.uint8))
    image = torch.from_numpy(seen).permute(2, 0, 1)[None].float() / 255.0
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    semantic = network.eval()((image - mean) / deviation).semantic
    height, width = truth.labels.shape
    rows, columns = np.nonzero(truth.labels != VOID)
    if len(rows) > _PIXELS_PER_IMAGE:
        drawn = rng.integers(0, len(rows), _PIXELS_PER_IMAGE)
        rows, columns = rows[drawn], columns[drawn]
    # Scores between the head's pixels as the exported graph has them: half-pixel bilinear.
    places = np.stack([(columns + 0.5) / width, (rows + 0.5) / height], 1) * 2.0 - 1.0
    grid = torch.from_numpy(places.astype(np.float32))[None, None]
    scores = functional.grid_sample(semantic, grid, padding_mode="border", align_corners=False)
    return scores[0, :, 0].T.numpy(), truth.labels[rows, columns]
