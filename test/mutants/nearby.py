# SPDX-License-Identifier: Apache-2.0
"""Which tests lie near a module: those of its folder, and those elsewhere that import it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

# They start processes, train or draw for long; only their own folders' modules ask for them.
FAR = ("test/cli", "test/ros", "test/gpu", "test/fuzz", "test/model", "test/fleet", "test/report")
# Rooms whose own tests take long: a few files stand for each.
CHOSEN = {
    "panoptic_ros/ros/": (
        "test/ros/test_worker.py",
        "test/ros/test_worker_changes.py",
        "test/ros/camera",
    ),
    "panoptic_ros/engine/building/": (
        "test/engine/building/test_parity.py",
        "test/engine/building/test_check.py",
        "test/engine/building/test_precision.py",
        "test/engine/building/test_plans.py",
    ),
    "panoptic_ros/fleet/parts/": ("test/fleet/parts", "test/fleet/test_label_parts.py"),
    "panoptic_ros/fleet/": (
        "test/fleet/test_task_queue.py",
        "test/fleet/test_figures.py",
        "test/fleet/test_summary.py",
        "test/fleet/test_addresses.py",
        "test/fleet/test_label_bag.py",
    ),
}

RULES = "test/test_flags.py"
"""What holds in all modules; tried last."""


def nearby(root: Path, file: str) -> tuple[str, ...]:
    """Find the tests of a module, the likeliest first.

    Args:
        root: The repository.
        file: The module, from the root.

    Returns:
        Test files, from the root; at least one, and last that of rules for all modules.

    Raises:
        ValueError: No test lies near.
    """
    path = Path(file)
    mirror = Path("test", *path.parent.parts[1:])
    own = str(mirror / f"test_{path.stem}.py")
    chosen = next((tests for start, tests in CHOSEN.items() if file.startswith(start)), None)
    near = _files(root, chosen or (str(mirror),))
    users = [name for name in _users(root, file) if chosen is None and not name.startswith(FAR)]
    found = [name for name in (own, *near, *users) if (root / name).is_file()]
    if not found:
        raise ValueError(f"no test lies near {file}: none in {mirror}, and none imports it")
    return tuple(dict.fromkeys([*found, RULES]))


def _files(root: Path, places: tuple[str, ...]) -> list[str]:
    """Test files in places, which are files or folders; folders within those do not count."""
    found = []
    for place in places:
        here = root / place
        files = [here] if here.is_file() else sorted(here.glob("test_*.py"))
        found += [str(one.relative_to(root)) for one in files]
    return found


def _users(root: Path, file: str) -> list[str]:
    package, name = ".".join(Path(file).parent.parts), Path(file).stem
    whole = re.compile(
        rf"{re.escape(package)}\.{name}\b|from {re.escape(package)} import .*\b{name}\b"
    )
    return [test for test, text in _texts(root).items() if whole.search(text)]


@cache
def _texts(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted((root / "test").rglob("test_*.py"))
    }
