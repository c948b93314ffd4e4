# SPDX-License-Identifier: Apache-2.0
"""Weather and bonnets in training crops: they change pixels, and labels only where they must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panoptic_ros.model.training.augment import AugmentConfig, Labelled, augment, draw_bonnet
from panoptic_ros.model.training.weather import weather

CAR = 3


def street(value: int = 120) -> Labelled:
    """A grey street with one object in the lower half."""
    image = np.full((64, 128, 3), value, np.uint8)
    labels = np.zeros((64, 128), np.uint8)
    instances = np.zeros((64, 128), np.uint16)
    instances[40:, 30:60] = 1
    return Labelled(image, labels, instances)


@pytest.mark.parametrize("shape", [(64, 128, 3), (32, 32, 3)], ids=["crop", "smallest crop"])
@pytest.mark.parametrize("seed", range(24))
def test_weather_keeps_shape_and_type_and_changes_something(
    seed: int, shape: tuple[int, int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    before = image.copy()
    changed = weather(image, np.random.default_rng(seed))
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert (changed != before).mean() > 0.01
    assert (image == before).all(), "the caller's image was written to"


@pytest.mark.parametrize("seed", range(8))
def test_a_bonnet_is_a_car_without_an_object_at_the_lower_edge(seed: int) -> None:
    crop = draw_bonnet(street(), CAR, np.random.default_rng(seed))
    covered = crop.labels == CAR
    assert covered[-1, 45:83].all()
    assert not covered[:32].any()
    assert (crop.instances[covered] == 0).all()
    kept = ~covered
    assert (crop.image[kept] == 120).all()
    assert (crop.instances[kept] == street().instances[kept]).all()


def test_without_a_class_of_cars_no_bonnet_is_drawn() -> None:
    config = AugmentConfig(
        crop=(128, 64), bonnet_probability=1.0, colour=0.0, weather_probability=0.0
    )
    for seed in range(10):
        crop = augment(street(), None, config, np.random.default_rng(seed))
        assert set(np.unique(crop.labels)) <= {0, 255}


def test_zoom_is_half_as_frequent_in_images_that_lack_the_pixels() -> None:
    config = AugmentConfig(crop=(64, 32), colour=0.0, weather_probability=0.0)
    large = _mean_share_of_void_free_width(street_of(256, 128), config)
    small = _mean_share_of_void_free_width(street_of(64, 32), config)
    assert 0.85 * small < large < 0.95 * small


def test_a_crop_is_a_part_of_a_larger_view() -> None:
    at_scale_1 = AugmentConfig(
        crop=(64, 32), scale=(1.0, 1.0), zoom_probability=0.0, colour=0.0, weather_probability=0.0
    )
    whole = _mean_share_of_void_free_width(street_of(256, 128), at_scale_1)
    half = _mean_share_of_void_free_width(street_of(256, 128), replace(at_scale_1, base=(128, 64)))
    assert 0.95 < whole <= 1.0
    assert 0.47 < half < 0.53


def test_the_shape_of_a_crop_does_not_stretch_what_it_shows() -> None:
    config = AugmentConfig(
        crop=(64, 64), base=(128, 64), scale=(1.0, 1.0), zoom_probability=0.0, colour=0.0
    )
    shares = _mean_share_of_void_free_width(street_of(256, 128), config)
    assert 0.47 < shares < 0.53


def street_of(width: int, height: int) -> Labelled:
    """Column numbers as labels, so that a crop tells how much of the width it shows."""
    labels = np.broadcast_to(
        (np.arange(width) * 200 // width).astype(np.uint8), (height, width)
    ).copy()
    return Labelled(
        np.zeros((height, width, 3), np.uint8), labels, np.zeros((height, width), np.uint16)
    )


def _mean_share_of_void_free_width(sample: Labelled, config: AugmentConfig) -> float:
    shares = []
    for seed in range(200):
        labels = augment(sample, None, config, np.random.default_rng(seed)).labels
        seen = labels[labels != 255].astype(int)
        shares.append((seen.max() - seen.min()) / 200)
    return float(np.mean(shares))
