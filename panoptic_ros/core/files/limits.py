# SPDX-License-Identifier: Apache-2.0
"""Sizes above which input is refused before memory is taken for it: damage, or an attack."""

from __future__ import annotations

from panoptic_ros.core.errors import ConfigError

MAX_SIDE_PX = 16384
"""Longest side of an image."""

MAX_PIXELS = 1 << 26
"""Most pixels of an image, 67 million: twice an 8K camera's."""

MAX_YAML_BYTES = 1 << 20
"""Largest YAML file; those of this package have a few kB."""

MAX_CHUNK_BYTES = 1 << 28
"""Most bytes of a bag's chunk after unpacking; recorders write a few MB."""

MAX_RECORD_BYTES = 1 << 30
"""Most bytes of one record of a bag."""


def is_image_size(height: int, width: int) -> bool:
    """Whether a camera or a label file may have images of that size."""
    fits = 0 < height <= MAX_SIDE_PX and 0 < width <= MAX_SIDE_PX
    return fits and height * width <= MAX_PIXELS


def nearest_size(size: tuple[int, int], step: int) -> str:
    """Write the (width, height) nearest to one whose sides are no multiples of a step.

    >>> nearest_size((500, 250), 32)
    '512x256'
    """
    width, height = (max(1, (2 * side + step) // (2 * step)) * step for side in size)
    return f"{width}x{height}"


def check_multiples(what: str, size: tuple[int, int], step: int) -> None:
    """Refuse a (width, height) whose sides are no multiples of a step, and name the nearest.

    Raises:
        ConfigError: A side is none; ``what`` begins the message.
    """
    if any(side % step or side < step for side in size):
        raise ConfigError(
            f"{what}: both sides must be multiples of {step}; the nearest is "
            f"{nearest_size(size, step)}"
        )


def image_limits() -> str:
    """What ``is_image_size`` asks for, in words."""
    return f"1 to {MAX_SIDE_PX} pixels a side, at most {MAX_PIXELS} pixels in all"
