# SPDX-License-Identifier: Apache-2.0
"""Where the pixels of a training crop come from, to a hundredth of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from panoptic_ros.model.training.augment import AugmentConfig, Labelled, augment

WIDTH, HEIGHT = 64, 32
AT_TWICE_THE_SIZE = AugmentConfig(
    crop=(WIDTH, HEIGHT),
    scale=(2.0, 2.0),
    zoom_probability=0.0,
    colour=0.0,
    weather_probability=0.0,
    bonnet_probability=0.0,
)


class Dice:
    """Gives the least of every range, and the same chance each time."""

    def __init__(self, chance: float) -> None:
        self._chance = chance

    def random(self) -> float:
        return self._chance

    def uniform(self, low: float, high: float) -> float:
        return low

    def normal(self, middle: float, deviation: float) -> float:
        return middle


def ramps() -> Labelled:
    """Red grows by 4 a column, green by 8 a row, the label by 1 a column."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = np.stack((4 * x, 8 * y, 0 * x), axis=-1).astype(np.uint8)
    return Labelled(image, x.astype(np.uint8), x.astype(np.uint16))


@pytest.mark.parametrize("flips", [False, True])
def test_scaled_and_flipped_pixels_lie_where_their_middles_fall(flips: bool) -> None:
    dice: Any = Dice(0.25 if flips else 0.75)
    crop = augment(ramps(), None, AT_TWICE_THE_SIZE, dice)
    # The upper left quarter fills the crop; interpolated quarters of a pixel are whole values.
    x = (np.arange(WIDTH) + 0.5) / 2 - 0.5
    y = (np.arange(HEIGHT) + 0.5) / 2 - 0.5
    x = x[::-1] if flips else x
    inner = slice(1, -1)
    red, green, _ = np.moveaxis(crop.image[inner, inner].astype(float), -1, 0)
    assert np.abs(red / 4 - x[inner]).max() < 0.01
    assert np.abs(green / 8 - y[inner, None]).max() < 0.01
    assert (crop.labels[inner, inner] == np.round(x[inner])).all()
    assert (crop.instances[inner, inner] == np.round(x[inner])).all()
