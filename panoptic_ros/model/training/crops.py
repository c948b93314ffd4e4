# SPDX-License-Identifier: Apache-2.0
"""Training crops from a COCO panoptic folder, as a torch data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from panoptic_ros.core.errors import DataError, counted
from panoptic_ros.core.types import VOID
from panoptic_ros.data.coco.ids import check_listed, read_ids
from panoptic_ros.data.coco.reader import CocoPanoptic, ImageRecord, read_coco_panoptic
from panoptic_ros.data.images import exif_hint, read_image
from panoptic_ros.model.network import STRIDE, pixel_statistics
from panoptic_ros.model.training.augment import AugmentConfig, Labelled, augment
from panoptic_ros.model.training.targets import draw_targets

OnSample = Callable[[int, int], None]
"""Told how many crops are used up, and how many there are."""


def open_split(data: Path, split: str) -> CocoPanoptic:
    """Open ``data/<split>.json`` with ``data/images`` and ``data/panoptic``.

    Raises:
        DataError: A file is missing, also one that the JSON names, or the JSON is not COCO
            panoptic or has no annotated image.
    """
    path = data / f"{split}.json"
    found = read_coco_panoptic(path, data / "panoptic", data / "images")
    if not found.records:
        raise DataError(f"{path}: has no annotated image, needs at least one")
    named = (file for record in found.records for file in (record.image, record.panoptic))
    # Before the first step: an image may be drawn after hours.
    if missing := [file for file in named if not file.exists()]:
        more = len(missing) - 1
        others = (
            f", as {'is' if more == 1 else 'are'} {counted(more, 'more file')}" if more else ""
        )
        raise DataError(f"{missing[0]}: is missing, though {path} names it{others}")
    return found


def load(record: ImageRecord, class_of: dict[int, int], things: NDArray[np.bool_]) -> Labelled:
    """Load an image and its truth.

    Args:
        record: Which one.
        class_of: Class index of each category id.
        things: Which classes are things.

    Raises:
        DataError: A file is missing, the two differ in size, or from what the JSON says, or the
            truth has none of the segments that are listed for it.
    """
    image = read_image(record.image)
    ids = read_ids(record.panoptic)
    if image.shape[:2] != (record.height, record.width):
        raise DataError(
            f"{record.image}: is {image.shape[1]}x{image.shape[0]}, the JSON says "
            f"{record.width}x{record.height}{exif_hint(record.image)}"
        )
    if ids.shape != image.shape[:2]:
        raise DataError(
            f"{record.panoptic}: is {ids.shape[1]}x{ids.shape[0]}, its image is "
            f"{image.shape[1]}x{image.shape[0]}{exif_hint(record.image)}"
        )
    check_listed(record.panoptic, ids, record.segments)
    # A table over all ids: sorting half a million pixels would cost more than the whole crop.
    label_of = np.full(int(ids.max()) + 1, VOID, np.uint8)
    instance_of = np.zeros(label_of.size, np.uint16)
    for number, segment in enumerate(record.segments, start=1):
        if segment.id < label_of.size:
            label = class_of[segment.category_id]
            label_of[segment.id] = label
            instance_of[segment.id] = number if things[label] and not segment.is_crowd else 0
    return Labelled(image, label_of[ids], instance_of[ids])


class Crops(Dataset[tuple[Tensor, ...]]):
    """Endless augmented crops: item ``i`` is the same in every run with the same seed.

    Args:
        data: The data set.
        config: How strong the augmentation is.
        seed: Start of the dice.
        length: How many items there are.
        cache_bytes: Memory for decoded images and labels, per process.
    """

    def __init__(
        self,
        data: CocoPanoptic,
        config: AugmentConfig,
        seed: int,
        length: int,
        cache_bytes: int = 0,
    ) -> None:
        self._cache: dict[int, Labelled] = {}
        self._cache_bytes = cache_bytes
        self._records = data.records
        names = [entry.name for entry in data.categories]
        car = names.index("car") if "car" in names else None
        self._config = replace(config, bonnet_class=car)
        self._seed = seed
        self._length = length
        self._class_of = {entry.id: index for index, entry in enumerate(data.categories)}
        self._things = np.array([entry.is_thing for entry in data.categories])
        self._share = image_shares(data, config.view)
        self._donor_share = donor_shares(data)
        self._class_weights = class_weights(data)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng((self._seed, index))
        sample = self._draw(self._share, rng)
        pastes = rng.random() < self._config.paste_probability
        donor = self._draw(self._donor_share, rng) if pastes else None
        crop = augment(sample, donor, self._config, rng)
        targets = draw_targets(crop, self._things, STRIDE, self._class_weights)
        image = np.ascontiguousarray(crop.image.transpose(2, 0, 1))
        return (torch.from_numpy(image), *map(torch.from_numpy, astuple(targets)))

    def _draw(self, share: NDArray[np.float64], rng: np.random.Generator) -> Labelled:
        index = int(rng.choice(len(self._records), p=share))
        if index in self._cache:
            return self._cache[index]
        sample = load(self._records[index], self._class_of, self._things)
        size = sample.image.nbytes + sample.labels.nbytes + sample.instances.nbytes
        if size <= self._cache_bytes:
            self._cache_bytes -= size
            self._cache[index] = sample
        return sample


def image_shares(data: CocoPanoptic, view: tuple[int, int]) -> NDArray[np.float64]:
    """Chance of each image to be drawn: rare classes, small sources, sharp images more often.

    Repeat factors are LVIS's (Gupta et al. 2019, section 4.2, threshold 0.3); a source counts
    with its images to the power 0.65, so that one long drive does not drown the others; an image
    that is enlarged counts by the share of pixels that it has, as it shows no more than it had.

    Args:
        data: The data set.
        view: (width, height) to which an image is scaled.
    """
    present = [{segment.category_id for segment in record.segments} for record in data.records]
    counts = Counter(category for categories in present for category in categories)
    frequency = {category: count / len(present) for category, count in counts.items()}
    repeat = np.array(
        [
            max((1.0, *(np.sqrt(0.3 / frequency[category]) for category in categories)))
            for categories in present
        ]
    )
    sources = Counter(record.source for record in data.records)
    share = repeat * np.array([sources[record.source] ** -0.35 for record in data.records])
    share *= np.array([_trust(record) for record in data.records])
    share *= np.array([min(1.0, record.width / view[0]) ** 2 for record in data.records])
    return np.asarray(share / share.sum(), np.float64)


def _trust(record: ImageRecord) -> float:
    """Exact full-size truth counts most, pseudo-labels least."""
    return {"official-panoptic": 3.0, "pseudo": 0.4}.get(record.labels, 1.0)


def class_weights(data: CocoPanoptic) -> NDArray[np.float32]:
    """Weight of each class in the semantic loss: PQ counts a wall as much as the road.

    Median frequency balancing (Eigen and Fergus 2015), damped by a square root and kept within
    0.7 and 4, so that rare classes are found without being seen everywhere.
    """
    pixels: Counter[int] = Counter()
    for record in data.records:
        for segment in record.segments:
            pixels[segment.category_id] += segment.area
    counts = np.array([max(1, pixels[entry.id]) for entry in data.categories], np.float64)
    balanced = (np.median(counts) / counts) ** 0.5
    return np.clip(balanced, 0.7, 4.0).astype(np.float32)


def donor_shares(data: CocoPanoptic) -> NDArray[np.float64]:
    """Chance of each image to lend instances: by the rarity of the things in it."""
    things = {entry.id for entry in data.categories if entry.is_thing}
    owned = [
        Counter(
            segment.category_id
            for segment in record.segments
            if segment.category_id in things and not segment.is_crowd
        )
        for record in data.records
    ]
    totals = sum(owned, Counter())
    share = np.array(
        [sum(np.sqrt(1.0 / totals[category]) for category in set(own)) for own in owned]
    )
    if share.sum() == 0:
        return np.full(len(owned), 1.0 / len(owned))
    return np.asarray(share / share.sum(), np.float64)


def sample_batches(crops: Crops, batch: int, on_sample: OnSample) -> Iterator[Tensor]:
    """Give the images of crops as normalised batches, on the CPU.

    Args:
        crops: Where they come from.
        batch: Images of a batch.
        on_sample: Called before the first batch and after each.

    Yields:
        (N, 3, H, W) float32.
    """
    mean, std = pixel_statistics(torch.device("cpu"))
    on_sample(0, len(crops))
    for number, loaded in enumerate(DataLoader(crops, batch_size=batch), start=1):
        yield (loaded[0].float() - mean) / std
        on_sample(min(number * batch, len(crops)), len(crops))
