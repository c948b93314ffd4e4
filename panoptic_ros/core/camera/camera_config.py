# SPDX-License-Identifier: Apache-2.0
"""The parameters that every camera has of its own, as lists, and one camera's entries of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.core.parameters import param

TURNS = (0, 90, 180, 270)
AS_CAMERA, AS_NETWORK = "camera", "network"
_SIZE = re.compile(r"(\d+)x(\d+)")
_REGION = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*")


@dataclass(frozen=True)
class CameraConfig:
    """What is said about one camera.

    Attributes:
        ego_mask: File of the ego vehicle's mask, or corners of its outline; empty for none.
        rotation: Degrees by which the image is turned clockwise: 0, 90, 180 or 270.
        region: (x, y, width, height) of the part that counts; None for all.
        max_rate_hz: Most images a second, 0 for all.
        output_size: (width, height) of the results; None as the part of the image that counts.
        is_network_size: Whether results have the size of the network's maps instead.
    """

    ego_mask: str = ""
    rotation: int = 0
    region: tuple[int, int, int, int] | None = None
    max_rate_hz: float = 0.0
    output_size: tuple[int, int] | None = None
    is_network_size: bool = False


@dataclass(frozen=True)
class CameraLists:
    """The parameters of all cameras: one entry per camera, or one for all of them."""

    ego_mask: tuple[str, ...] = param(
        ("",),
        "The ego vehicle in each camera's image, which becomes void: a PNG that is not 0 there, "
        "or corners in pixels like '0,700 640,650 1279,700 1279,719 0,719'; panoptic ego-mask "
        "makes one.",
        public="ego_mask",
    )
    rotation: tuple[int, ...] = param(
        (0,),
        "Degrees, 0, 90, 180 or 270, by which each camera's image is turned clockwise to stand "
        "upright; results and camera_info are those of the turned image.",
        public="rotation",
    )
    region: tuple[str, ...] = param(
        ("",),
        "Part of each camera's image that counts, before it is turned: 'x,y,width,height' in "
        "pixels, '' for all; results and camera_info are those of the part.",
        public="region",
    )
    max_rate_hz: tuple[float, ...] = param(
        (0.0,),
        "Most images a second that each camera's stream takes, by stamps; 0.0 for all.",
        public="max_rate_hz",
    )
    output_size: tuple[str, ...] = param(
        (AS_CAMERA,),
        "Size of each camera's results, camera_info follows: camera, network for the network's "
        "maps as they are, or WxH, e.g. 640x360.",
        public="output.size",
    )

    def of(self, index: int, count: int) -> CameraConfig:
        """Give what is said about one camera.

        Args:
            index: Which camera.
            count: How many there are.

        Raises:
            ConfigError: A list has neither one entry nor one per camera, or an entry is refused.
        """
        mask, turn, region, rate, size = (
            self._entry(entry.metadata["public"], getattr(self, entry.name), index, count)
            for entry in fields(self)
        )
        if turn not in TURNS:
            raise ConfigError(f"rotation has {turn}, needs one of: 0, 90, 180, 270")
        if not (math.isfinite(rate) and 0 <= rate <= 1000):
            raise ConfigError(f"max_rate_hz has {rate}, needs 0 to 1000")
        output = None if size in (AS_CAMERA, AS_NETWORK) else _size(size)
        return CameraConfig(mask, turn, _region(region), rate, output, size == AS_NETWORK)

    @staticmethod
    def _entry(name: str, values: tuple[Any, ...], index: int, count: int) -> Any:
        if len(values) not in (1, count):
            raise ConfigError(
                f"{name} has {len(values)} entries for {count} cameras; give one per camera, or "
                "one for all"
            )
        return values[index if len(values) > 1 else 0]


def _size(words: str) -> tuple[int, int]:
    found = _SIZE.fullmatch(words.strip())
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not is_image_size(height, width):
        raise ConfigError(
            f"output.size has {words!r}, needs camera, network or a size like 640x360, of "
            f"{image_limits()}"
        )
    return width, height


def _region(words: str) -> tuple[int, int, int, int] | None:
    if not words.strip():
        return None
    found = _REGION.fullmatch(words)
    x, y, width, height = map(int, found.groups()) if found else (0, 0, 0, 0)
    if not (width and height):
        raise ConfigError(
            f"region has {words!r}, needs 'x,y,width,height' in pixels, like '0,180,1280,540'"
        )
    return x, y, width, height
