# SPDX-License-Identifier: Apache-2.0
"""Find the files that come with the package: models, label sets, parameters, profiles."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from panoptic_ros.core.errors import ConfigError


def resource(*parts: str) -> Path:
    """Find a file of the package's share folder.

    Looks beside the package first (a source checkout or a symlink install), then in the ROS
    prefixes, then in Python's own prefix.

    Args:
        parts: Path below the share folder, e.g. ``("config", "labels", "cityscapes.yaml")``.

    Raises:
        ConfigError: No place has it.
    """
    places = list(_places())
    for place in places:
        path = place.joinpath(*parts)
        if path.exists():
            return path
    raise ConfigError(
        f"{'/'.join(parts)} is not installed; looked in: {', '.join(map(str, places))}"
    )


def _places() -> Iterator[Path]:
    yield Path(__file__).resolve().parents[3]
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix:
            yield Path(prefix) / "share" / "panoptic_ros"
    yield Path(sys.prefix) / "share" / "panoptic_ros"
