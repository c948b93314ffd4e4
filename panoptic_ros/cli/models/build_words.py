# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic build`` says while a plan is made and about one that is there."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.printing.progress import ProgressBar

if TYPE_CHECKING:
    from panoptic_ros.core.engine_config import ProgressCallback
    from panoptic_ros.engine.building.recipe import Recipe
    from panoptic_ros.engine.storage.manifest import Manifest, PlanKey

CHECKS = {
    "label_agreement": "pixels of the same class",
    "object_agreement": "objects, PQ against the original's",
}
"""Figures with a limit, in words."""


def say_why(path: Path, recipe: Recipe, key: PlanKey) -> bool:
    """Say that the plan is there, or why it has to be built; give back whether it is there."""
    from panoptic_ros.engine.storage.cache import find_plan, find_plan_at, plan_path

    if path == plan_path(path.parent, recipe.model.stem, key):
        found, why = find_plan(path.parent, recipe.model.stem, key)
    else:
        found, why = find_plan_at(path, key)
    # Images are no part of what a plan is known by.
    other = "; with other images it is built by --rebuild" if recipe.images else ""
    print(f"there is a plan already{other}" if found else f"building: {why}", file=sys.stderr)
    return found is not None


@contextmanager
def build_bar() -> Iterator[ProgressCallback]:
    """Show a build's progress on a terminal; elsewhere only that somebody else builds."""
    if not sys.stderr.isatty():
        yield _tell_waiting
        return
    with ProgressBar("building", 1.0) as bar:
        yield lambda phase, share: bar.show(share, phase[:40])


def _tell_waiting(phase: str, share: float) -> None:
    from panoptic_ros.engine.storage.cache import WAITING

    if phase == WAITING:
        print(phase, file=sys.stderr)


def show_plan(path: Path, manifest: Manifest, runtime: str) -> None:
    """Print what a plan is and how it was checked.

    Args:
        path: The ``.plan`` file.
        manifest: Its manifest.
        runtime: What runs it, e.g. ``TensorRT 10.3.0``.
    """
    key = manifest.key
    place = key.gpu + (f" ({key.compute_capability})" if key.compute_capability else "")
    size = f"{manifest.plan_bytes / 1e6:.1f} MB, built in {manifest.build_s:.1f} s"
    print(
        f"{path}: {manifest.model} in {key.precision}, batch {key.batch}, for {place} with "
        f"{runtime}; {size}"
    )
    if manifest.compared == "plan":
        print("checked the plan against ONNX Runtime in FP32:")
    else:
        print("No GPU here: checked the prepared graph against the original in ONNX Runtime:")
    for line in check_lines(manifest.parity, key.precision):
        print(f"  {line}")


def check_lines(figures: Mapping[str, float], precision: str) -> list[str]:
    """Say what was checked, against which limit, and that it passed.

    Args:
        figures: Of the comparison; a plan that fails one is not kept.
        precision: Of the plan, which sets the limits.
    """
    from panoptic_ros.engine.building.parity import LEAST, MEANINGS

    lines = []
    for name in filter(figures.__contains__, CHECKS):
        value, least = figures[name], LEAST[precision][name]
        verdict = "passed" if value >= least else "not passed"
        lines.append(f"{CHECKS[name]}: {100 * value:.2f} %, limit {100 * least:g} %, {verdict}")
    others = [
        f"{MEANINGS.get(name, name)} {value:.2g}"
        for name, value in figures.items()
        if name not in CHECKS
    ]
    return [*lines, f"mean difference, no limit: {', '.join(others)}"] if others else lines
