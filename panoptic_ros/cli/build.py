# SPDX-License-Identifier: Apache-2.0
"""``panoptic build``: an ONNX model or a recipe in, a checked TensorRT plan out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.progress import ProgressBar
from panoptic_ros.core.engine_config import PRECISIONS
from panoptic_ros.core.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.core.engine_config import ProgressCallback
    from panoptic_ros.engine.building.compile import BuildEnvironment
    from panoptic_ros.engine.building.recipe import Recipe
    from panoptic_ros.engine.storage.manifest import Manifest, PlanKey

_MOST_IMAGES = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; what is left out comes from the recipe or its defaults."""
    parser.add_argument("model", help="an .onnx file, a model of the package, or a recipe (.yaml)")
    parser.add_argument("--precision", choices=PRECISIONS, help="default: fp16")
    parser.add_argument("--batch", type=int, metavar="N", help="images at once (default: 1)")
    parser.add_argument("--dla", type=int, metavar="CORE", help="build for this DLA core")
    parser.add_argument(
        "--target",
        metavar="CC[,CC]",
        help="compute capabilities, e.g. 8.6,12.0 (TensorRT for RTX only)",
    )
    parser.add_argument(
        "--variant",
        "--flavour",
        choices=("tensorrt", "tensorrt_rtx"),
        help="default: tensorrt where it is installed, else tensorrt_rtx",
    )
    parser.add_argument(
        "--device", type=int, default=0, metavar="N", help="number of the GPU (default: 0)"
    )
    parser.add_argument("--workspace", type=int, metavar="MIB", help="builder's scratch memory")
    parser.add_argument(
        "--images",
        "--pictures",
        metavar="PATH",
        help="folder, bag or video that sets the ranges of int8, and on which plans are compared",
    )
    parser.add_argument(
        "--out", type=Path, help="a .plan file or a folder (default: the user's cache)"
    )
    parser.add_argument("--rebuild", action="store_true", help="build even where there is a plan")
    parser.add_argument(
        "--check", action="store_true", help="list what TensorRT will not take; build nothing"
    )


def run(args: argparse.Namespace) -> int:
    """Check or build."""
    recipe = _recipe(args)
    if args.check:
        return _check(recipe)
    from panoptic_ros.engine.building.compile import build_environment, key_and_place, make_plan
    from panoptic_ros.engine.building.parity import comparison

    here = build_environment(recipe, args.device)
    key, path = key_and_place(recipe, here, args.out)
    if args.out is None and not args.rebuild:
        _say_why(recipe, path, key)
    with _bar() as report:
        ranges, shown = _images(recipe, key)
        compare = comparison(recipe.model, here.device if here.runs(recipe) else None, shown)
        manifest = make_plan(recipe, path, here, report, compare, args.rebuild, ranges)
    _show(path, manifest, here)
    return 0


def _recipe(args: argparse.Namespace) -> Recipe:
    from panoptic_ros.engine.building.recipe import RECIPES, Recipe, read_recipe, with_choices
    from panoptic_ros.engine.models import find_model

    path = Path(args.model)
    recipe = read_recipe(path) if path.suffix in RECIPES else Recipe(find_model(args.model))
    if recipe.model.suffix != ".onnx":
        raise ConfigError(f"{recipe.model}: plans are built from an .onnx file or a .yaml recipe")
    return with_choices(
        recipe,
        precision=args.precision,
        batch=args.batch,
        dla=args.dla,
        targets=tuple(args.target.split(",")) if args.target else None,
        variant=args.variant,
        workspace_mib=args.workspace,
        images=args.images,
    )


def _check(recipe: Recipe) -> int:
    """Print findings; 1 where there are some."""
    from panoptic_ros.engine.building.check import check_model
    from panoptic_ros.engine.building.prepare import load_model, prepare, set_batch

    model = load_model(recipe.model)
    prepare(model)
    set_batch(model, recipe.batch)
    findings = check_model(model, dla=recipe.dla >= 0)
    for finding in findings:
        print(f"{finding.severity}: {finding.where}: {finding.problem}\n  fix: {finding.fix}")
    nodes = len(model.graph.node)
    print(f"{recipe.model.name}: {nodes} nodes, {len(findings) or 'no'} findings")
    return 1 if findings else 0


def _say_why(recipe: Recipe, path: Path, key: PlanKey) -> None:
    """Say that the plan is there, or why it has to be built."""
    from panoptic_ros.engine.storage.cache import find_plan

    found, why = find_plan(path.parent, recipe.model.stem, key)
    print("there is a plan already" if found else f"building: {why}", file=sys.stderr)


def _images(
    recipe: Recipe, key: PlanKey
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """Load the recipe's images at the model's size.

    Returns:
        Those that set the ranges of int8, and others on which the plan is compared.

    Raises:
        ModelError: They are too few for int8.
    """
    if not recipe.images:
        return [], []
    import numpy as np

    from panoptic_ros.core.geometry import shrink
    from panoptic_ros.engine.building.quantize import LEAST_IMAGES
    from panoptic_ros.recordings.open import is_bag, open_source

    path = Path(recipe.images)
    # Neighbours in a video show the same; a folder has been chosen from already.
    step = 1 if path.is_dir() and not is_bag(path) else 10
    height, width, _ = (int(size) for size in key.shape.split("x"))
    with open_source(path) as source:
        found = [
            shrink(recorded.frame.image, np.empty((height, width, 3), np.uint8))
            for recorded in islice(source.frames(), 0, _MOST_IMAGES * step, step)
        ]
    aside = max(1, len(found) // 5)
    if recipe.precision == "int8" and len(found) - aside < LEAST_IMAGES:
        raise ModelError(
            f"int8 takes its ranges from at least {LEAST_IMAGES} images, and one of five is "
            f"kept for the comparison; {path} has {len(found)}"
        )
    return found[:-aside], found[-aside:]


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    """Show TensorRT's progress on a terminal; elsewhere only that somebody else builds."""
    if not sys.stderr.isatty():
        yield _tell_waiting
        return
    with ProgressBar("building", 1.0) as bar:
        yield lambda phase, share: bar.show(share, phase[:40])


def _tell_waiting(phase: str, share: float) -> None:
    from panoptic_ros.engine.building.compile import WAITING

    if phase == WAITING:
        print(phase, file=sys.stderr)


def _show(path: Path, manifest: Manifest, here: BuildEnvironment) -> None:
    key = manifest.key
    place = key.gpu + (f" ({key.compute_capability})" if key.compute_capability else "")
    size = f"{manifest.plan_bytes / 1e6:.1f} MB, built in {manifest.build_s:.1f} s"
    print(
        f"{path}: {manifest.model} in {key.precision}, batch {key.batch}, for {place} with "
        f"{here.variant.title}; {size}"
    )
    figures = ", ".join(f"{name} {value:.4g}" for name, value in manifest.parity.items())
    if manifest.compared == "plan":
        print(f"compared with ONNX Runtime: {figures}")
    else:
        checked = "No GPU here: checked the prepared graph against the original in ONNX Runtime"
        print(f"{checked}: {figures}")
