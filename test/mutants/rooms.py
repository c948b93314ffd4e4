# SPDX-License-Identifier: Apache-2.0
"""The modules that decide something."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ROOMS = {
    "core": ("panoptic_ros/core",),
    "messages": ("panoptic_ros/messages",),
    "metrics": ("panoptic_ros/metrics",),
    "evaluation": ("panoptic_ros/evaluation",),
    "engine": (
        "panoptic_ros/engine/storage",
        "panoptic_ros/engine/building/parity.py",
        "panoptic_ros/engine/building/check.py",
        "panoptic_ros/engine/building/precision.py",
    ),
    "fleet": ("panoptic_ros/fleet",),
    "ros": ("panoptic_ros/ros/worker.py", "panoptic_ros/ros/camera"),
}
"""Files, and folders with those within, by name."""

# Drawn inputs for tests and demonstrations decide nothing.
LEFT_OUT = ("panoptic_ros/core/synthetic/",)


def files(root: Path, room: str) -> list[str]:
    """Modules of a room, from the root."""
    return modules(root, ROOMS[room])


def modules(root: Path, places: Iterable[str]) -> list[str]:
    """Find modules that can hold mistakes.

    Args:
        root: The repository.
        places: Modules, and folders with those within, from the root.

    Returns:
        The modules, from the root; drawn inputs and empty modules are left out.

    Raises:
        ValueError: A place is missing, or none holds a module.
    """
    found: list[Path] = []
    for place in places:
        path = root / place
        if not path.exists():
            raise ValueError(f"no module or folder {place}; needs one such as panoptic_ros/core")
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    names = [str(path.relative_to(root)) for path in found if path.name != "__init__.py"]
    kept = [name for name in names if not name.startswith(LEFT_OUT)]
    if not kept:
        raise ValueError(f"no module in {', '.join(places)}")
    return list(dict.fromkeys(kept))
