# SPDX-License-Identifier: Apache-2.0
"""Weather, light and the own bonnet, drawn into training crops.

Fog follows Koschmieder's law with depth rising towards the horizon (as Sakaridis et al. 2018 do
with true depth); night lowers light and adds sensor noise; rain is bright streaks over low
contrast; glare is a lamp's halo.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def weather(image: Image, rng: np.random.Generator) -> Image:
    """Draw one kind of bad weather or light.

    Args:
        image: RGB, (H, W, 3).
        rng: Where the dice come from.

    Returns:
        A changed copy, same shape.
    """
    kinds = (_night, _fog, _rain, _glare, _motion_blur, _dirt)
    changed = kinds[int(rng.integers(len(kinds)))](image.astype(np.float32), rng)
    return np.asarray(np.clip(changed + 0.5, 0, 255), np.uint8)


def _night(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    level = rng.uniform(0.08, 0.45)
    tint = np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.7, 1.15)], np.float32)
    dark = 255.0 * (x / 255.0) ** np.float32(rng.uniform(1.0, 1.6)) * np.float32(level) * tint
    noise = rng.standard_normal(x.shape, np.float32) * np.float32(rng.uniform(1.0, 9.0))
    return np.asarray(dark + noise, np.float32)


def _fog(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    height = x.shape[0]
    horizon = height * rng.uniform(0.35, 0.55)
    rows = np.arange(height, dtype=np.float32)
    depth = np.minimum(height / np.maximum(rows - horizon, 1.0), 40.0)
    clear = np.exp(-rng.uniform(0.02, 0.25) * depth)[:, None, None].astype(np.float32)
    light = np.float32(rng.uniform(150, 230))
    return np.asarray(x * clear + light * (1 - clear), np.float32)


def _rain(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    height, width = x.shape[:2]
    streaks = np.zeros((height, width), np.float32)
    lean = rng.uniform(-0.3, 0.3)
    for _ in range(int(rng.integers(60, 250))):
        x0, y0 = rng.uniform(0, width), rng.uniform(0, height)
        long = rng.uniform(0.3, 1.0) * max(4.0, height / 12)
        end = (int(x0 + lean * long), int(y0 + long))
        cv2.line(streaks, (int(x0), int(y0)), end, float(rng.uniform(20, 90)), 1)
    streaks = np.asarray(cv2.GaussianBlur(streaks, (3, 3), 0), np.float32)
    contrast = np.float32(rng.uniform(0.5, 0.85))
    grey = np.float32(x.mean())
    return np.asarray(grey + (x - grey) * contrast + streaks[..., None], np.float32)


def _glare(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    height, width = x.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    y, left = rng.uniform(0, 0.6) * height, rng.uniform(0, 1) * width
    reach = rng.uniform(0.1, 0.5) * height
    halo = np.exp(-np.hypot(rows - y, columns - left) / np.float32(reach))
    return np.asarray(x + np.float32(rng.uniform(100, 255)) * halo[..., None], np.float32)


def _motion_blur(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.choice([0.0, rng.uniform(0, np.pi)])
    middle = (length - 1) / 2
    for step in np.linspace(-middle, middle, 4 * length):
        row, column = middle + step * np.sin(angle), middle + step * np.cos(angle)
        kernel[round(row), round(column)] = 1.0
    return np.asarray(cv2.filter2D(x, -1, kernel / kernel.sum()), np.float32)


def _dirt(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    height, width = x.shape[:2]
    veil = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(2, 12))):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        radius = max(2, int(rng.uniform(0.01, 0.07) * height))
        cv2.circle(veil, centre, radius, float(rng.uniform(0.2, 0.8)), -1)
    veil = np.asarray(cv2.GaussianBlur(veil, (0, 0), height / 80), np.float32)[..., None]
    soft = np.asarray(cv2.GaussianBlur(x, (0, 0), height / 50), np.float32)
    return np.asarray(x * (1 - veil) + 0.8 * soft * veil, np.float32)


def draw_bonnet_image(image: Image, rng: np.random.Generator) -> tuple[Image, NDArray[np.bool_]]:
    """Draw a bonnet that mirrors the street over the lower edge.

    Args:
        image: RGB, (H, W, 3).
        rng: Where the dice come from.

    Returns:
        A changed copy and which pixels the bonnet covers, (H, W).
    """
    height, width = image.shape[:2]
    columns = np.linspace(-1, 1, width) - rng.uniform(-0.15, 0.15)
    rise, round_off = rng.uniform(0.05, 0.22), rng.uniform(0.02, 0.15)
    top = height * (1 - rise + round_off * np.abs(columns) ** rng.uniform(1.5, 4))
    mask = np.arange(height)[:, None] >= top[None, :]
    colour = rng.uniform(10, 230, 3) * rng.uniform(0.3, 1.0)
    mirrored = cv2.GaussianBlur(image[::-1], (0, 0), rng.uniform(2, 8)).astype(np.float32)
    shine = rng.uniform(0.1, 0.7)
    shade = np.linspace(1.1, 0.7, height)[:, None, None]
    paint = shade * colour * (1 - shine) + mirrored * shine
    out = np.where(mask[..., None], paint, image)
    return np.asarray(np.clip(out, 0, 255), np.uint8), mask
