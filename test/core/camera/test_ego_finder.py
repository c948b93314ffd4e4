# SPDX-License-Identifier: Apache-2.0
"""A bonnet is found to its edge, and none is made up where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.camera.ego_finder import LEAST_IMAGES, EgoFinder, EgoFinding
from panoptic_ros.core.errors import DataError, FrameError

HEIGHT, WIDTH = 180, 320


def arch() -> NDArray[np.bool_]:
    """A bonnet that is 20 to 32 rows high."""
    edge = HEIGHT - 20 - 12 * np.sin(np.pi * np.arange(WIDTH) / WIDTH)
    return np.arange(HEIGHT)[:, None] >= edge


def found(own: NDArray[np.bool_] | None, count: int = 40, moves: bool = True) -> EgoFinding:
    """What is found in images of a street with much texture, and with a bonnet where one is."""
    draw = np.random.default_rng(0)
    wide = draw.integers(0, 256, (HEIGHT // 6, WIDTH // 2, 3), dtype=np.uint8)
    wide = wide.repeat(6, axis=0).repeat(6, axis=1)
    finder = EgoFinder()
    for number in range(count):
        start = 7 * number * moves % (wide.shape[1] - WIDTH)
        image = wide[:, start : start + WIDTH].copy()
        if own is not None:
            # Light changes on the paint; its edge stays.
            image[own] = (60 + number, 20, 20 + number)
        finder.add(image)
    return finder.find()


def test_a_bonnet_is_found_to_its_edge() -> None:
    own = arch()
    mask = found(own).mask > 0
    assert mask.shape == own.shape
    overlap = (mask & own).sum() / (mask | own).sum()
    assert overlap > 0.9


def test_none_is_made_up() -> None:
    with pytest.raises(DataError, match="no ego vehicle found at the lower edge"):
        found(None)


def test_a_slope_through_the_image_is_no_bonnet() -> None:
    slope = np.arange(HEIGHT)[:, None] >= HEIGHT - 10 - 0.25 * np.arange(WIDTH)
    with pytest.raises(DataError, match="no ego vehicle found at the lower edge"):
        found(slope)


def test_a_scene_that_stands_still_tells_nothing() -> None:
    with pytest.raises(DataError, match="the scene does not move"):
        found(None, moves=False)


def test_a_few_images_tell_nothing() -> None:
    with pytest.raises(DataError, match="found, needs"):
        found(arch(), count=LEAST_IMAGES - 1)


def test_images_of_another_size_are_refused() -> None:
    finder = EgoFinder()
    finder.add(np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(FrameError):
        finder.add(np.zeros((30, 20, 3), np.uint8))
