# SPDX-License-Identifier: Apache-2.0
"""Turn a labelled image into a training crop: geometry, copy-paste, then colour and damage.

Sources: Panoptic-DeepLab's scale and flip augmentation; "Simple Copy-Paste" (Ghiasi et al.,
CVPR 2021, arXiv 2012.07177), here with pasted instances kept at their own place and scale so
that a car stays on a road.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import VOID
from panoptic_ros.model.training.weather import draw_bonnet_image, weather


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image and its truth; all three arrays share (H, W).

    Attributes:
        image: RGB, (H, W, 3) uint8.
        labels: Class index per pixel, uint8, 255 void.
        instances: 0 no countable object, 1.. one object each, uint16; crowd pixels are 0.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    instances: NDArray[np.uint16]


@dataclass(frozen=True)
class AugmentConfig:
    """How strong the augmentation is; sizes are (width, height) in pixels.

    Attributes:
        crop: Size of a crop.
        base: Size to which the whole image is scaled at scale 1; None takes ``crop``.
        scale: Range of scales at which the whole street is seen.
        zoom: Range of scales that show objects larger.
        zoom_probability: Share of crops drawn from ``zoom``, of images that have the pixels; half
            of it of others, which are enlarged.
        paste_probability: Share of crops that get instances of a second image.
        colour: Strength of changes of colour and of damage, 0 to 1.
        weather_probability: Share of crops with night, fog, rain, glare, motion blur or dirt.
        bonnet_probability: Share of crops with the bonnet of a car at their lower edge.
        bonnet_class: Label of a bonnet, that of cars; None draws none.
    """

    crop: tuple[int, int] = (512, 256)
    base: tuple[int, int] | None = None
    scale: tuple[float, float] = (0.85, 1.25)
    zoom: tuple[float, float] = (1.25, 2.5)
    zoom_probability: float = 0.55
    paste_probability: float = 0.15
    colour: float = 0.6
    weather_probability: float = 0.12
    bonnet_probability: float = 0.06
    bonnet_class: int | None = None

    @property
    def view(self) -> tuple[int, int]:
        """Size of the whole image at scale 1, (width, height)."""
        return self.base or self.crop


def augment(
    sample: Labelled, donor: Labelled | None, config: AugmentConfig, rng: np.random.Generator
) -> Labelled:
    """Draw one training crop.

    Args:
        sample: The image to crop.
        donor: A second image whose instances are pasted over the crop; None pastes nothing.
        config: How strong.
        rng: Where the dice come from; the same state gives the same crop.

    Returns:
        A crop of ``config.crop`` size; pixels outside of the image are void.
    """
    crop = _place(sample, config, rng)
    if donor is not None:
        crop = _paste(crop, _place(donor, config, rng), rng)
    if rng.random() < config.bonnet_probability and config.bonnet_class is not None:
        crop = draw_bonnet(crop, config.bonnet_class, rng)
    image = _disturb(crop.image, config.colour, rng)
    if rng.random() < config.weather_probability:
        image = weather(image, rng)
    return Labelled(image, crop.labels, crop.instances)


def _place(sample: Labelled, config: AugmentConfig, rng: np.random.Generator) -> Labelled:
    """Scale, change the aspect, flip and crop in one resampling."""
    height, width = sample.labels.shape
    crop_width, crop_height = config.crop
    base = config.view
    has_pixels = width >= 1.5 * base[0]
    zooms = rng.random() < config.zoom_probability * (1.0 if has_pixels else 0.5)
    scale = float(np.exp(rng.uniform(*np.log(config.zoom if zooms else config.scale))))
    # From the network's own aspect (the image is stretched to it) half way to the camera's.
    natural = (width / height) / (base[0] / base[1])
    stretch = float(natural ** rng.uniform(-0.1, 0.6) * np.exp(rng.normal(0.0, 0.08)))
    view_width = width * crop_width / base[0] / (scale * np.sqrt(stretch))
    view_height = height * crop_height / base[1] / (scale / np.sqrt(stretch))
    x0 = _slide(width, view_width, rng)
    y0 = _slide(height, view_height, rng)
    flip = rng.random() < 0.5
    return _cut(sample, (x0, y0, view_width, view_height), config.crop, flip, rng)


def _slide(size: float, view: float, rng: np.random.Generator) -> float:
    """Draw where a view of length ``view`` starts on a side of length ``size``."""
    slack = size - view
    return float(rng.uniform(min(0.0, slack), max(0.0, slack)))


def _cut(
    sample: Labelled,
    view: tuple[float, float, float, float],
    crop: tuple[int, int],
    flip: bool,
    rng: np.random.Generator,
) -> Labelled:
    x0, y0, view_width, view_height = view
    across, down = crop[0] / view_width, crop[1] / view_height
    image = sample.image
    if min(across, down) < 0.7 and rng.random() < 0.6:
        # Most of the shrunken crops are smoothed first, the others alias as a fast resize does.
        sigma = 0.4 / max(across, down)
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    shift_x, shift_y = (0.5 - x0) * across - 0.5, (0.5 - y0) * down - 0.5
    matrix = np.array([[across, 0.0, shift_x], [0.0, down, shift_y]])
    if flip:
        matrix = np.array([[-across, 0.0, crop[0] - 1 - shift_x], [0.0, down, shift_y]])
    grey = tuple(float(value) for value in sample.image[::16, ::16].mean(axis=(0, 1)))
    warped = cv2.warpAffine(image, matrix, crop, flags=cv2.INTER_LINEAR, borderValue=grey)
    labels = cv2.warpAffine(
        sample.labels, matrix, crop, flags=cv2.INTER_NEAREST, borderValue=(VOID,)
    )
    instances = cv2.warpAffine(sample.instances, matrix, crop, flags=cv2.INTER_NEAREST)
    return Labelled(
        np.asarray(warped, np.uint8),
        np.asarray(labels, np.uint8),
        np.asarray(instances, np.uint16),
    )


def _paste(below: Labelled, above: Labelled, rng: np.random.Generator) -> Labelled:
    present = np.unique(above.instances)
    present = present[present > 0]
    if present.size == 0:
        return below
    chosen = rng.choice(present, size=min(present.size, int(rng.integers(1, 6))), replace=False)
    mask = np.isin(above.instances, chosen)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)[..., None]
    image = below.image * (1.0 - soft) + above.image * soft
    first = np.uint16(int(below.instances.max()))
    return Labelled(
        image.astype(np.uint8),
        np.where(mask, above.labels, below.labels),
        np.where(mask, above.instances + first, below.instances),
    )


def draw_bonnet(crop: Labelled, label: int, rng: np.random.Generator) -> Labelled:
    """Lay the recording car's bonnet over the lower edge: a car without a countable object."""
    image, mask = draw_bonnet_image(crop.image, rng)
    return Labelled(
        image,
        np.where(mask, np.uint8(label), crop.labels),
        np.where(mask, np.uint16(0), crop.instances),
    )


def _disturb(
    image: NDArray[np.uint8], strength: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Change colour, then with some chance blur, noise, low resolution or JPEG."""
    out = image
    if rng.random() < 0.9 * strength:
        out = _recolour(out, strength, rng)
    if rng.random() < 0.12 * strength:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    if rng.random() < 0.08 * strength:
        small = cv2.resize(out, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        out = np.asarray(cv2.resize(small, (out.shape[1], out.shape[0])), np.uint8)
    if rng.random() < 0.12 * strength:
        # Up to the noise of a small sensor at night.
        spread = np.exp(rng.uniform(*np.log((2.0, 40.0))))
        noise = rng.normal(0.0, spread, out.shape).astype(np.float32)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.2 * strength:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))]
        out = np.asarray(cv2.imdecode(cv2.imencode(".jpg", out, quality)[1], 1), np.uint8)
    return np.ascontiguousarray(out)


def _recolour(
    image: NDArray[np.uint8], strength: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    x = image.astype(np.float32) / 255.0
    if rng.random() < 0.05:
        x = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)
    grey = x.mean(axis=2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(1 - 0.5 * strength, 1 + 0.5 * strength)
    x = x * rng.uniform(1 - 0.12 * strength, 1 + 0.12 * strength, size=3).astype(np.float32)
    mean = float(x.mean())
    x = mean + (x - mean) * rng.uniform(1 - 0.4 * strength, 1 + 0.4 * strength)
    x = np.clip(x * np.exp(rng.normal(0.0, 0.22 * strength)), 0.0, 1.0)
    x = x ** np.float32(np.exp(rng.normal(0.0, 0.25 * strength)))
    return np.asarray(np.clip(x * 255.0 + 0.5, 0, 255), np.uint8)
