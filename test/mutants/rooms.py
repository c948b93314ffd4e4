# SPDX-License-Identifier: Apache-2.0
"""The modules that decide something."""

from __future__ import annotations

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
    "ros": ("panoptic_ros/ros/worker.py", "panoptic_ros/ros/camera"),
}
"""Files, and folders with those within, by name."""

# Drawn inputs for tests and demonstrations decide nothing.
LEFT_OUT = ("panoptic_ros/core/synthetic/",)


def files(root: Path, room: str) -> list[str]:
    """Modules of a room, from the root."""
    found: list[Path] = []
    for place in ROOMS[room]:
        path = root / place
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    names = [str(path.relative_to(root)) for path in found if path.name != "__init__.py"]
    return [name for name in names if not name.startswith(LEFT_OUT)]
