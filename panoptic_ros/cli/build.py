# SPDX-License-Identifier: Apache-2.0
"""``panoptic build``: an ONNX model or a recipe in, a checked plan of TensorRT or OpenVINO out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.models.build_images import MOST_IMAGES
from panoptic_ros.cli.models.build_words import build_bar, say_why, show_plan
from panoptic_ros.cli.options.arguments import whole_number
from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.cli.printing.outputs import add_out, print_written
from panoptic_ros.core.engine_config import MAX_BATCH, PLAN_RUNTIMES, PRECISIONS
from panoptic_ros.core.errors import ConfigError, counted
from panoptic_ros.engine.variant import VARIANTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.engine.building.quantize import CalibrationImages
    from panoptic_ros.engine.building.recipe import Recipe
    from panoptic_ros.engine.storage.manifest import Manifest, PlanKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; what is left out comes from the recipe or its defaults."""
    parser.add_argument("model", help="an .onnx file, a model of the package, or a recipe (.yaml)")
    parser.add_argument(
        "--runtime",
        choices=PLAN_RUNTIMES,
        help="runtime of the plan; openvino: int8 only, by NNCF (default: tensorrt)",
    )
    parser.add_argument("--precision", choices=PRECISIONS, help="default: fp16")
    parser.add_argument(
        "--batch",
        type=whole_number(1, MAX_BATCH),
        metavar="N",
        help="images per inference (default: 1)",
    )
    parser.add_argument(
        "--dla", type=whole_number(-1), metavar="CORE", help="build for this DLA core"
    )
    parser.add_argument(
        "--target",
        metavar="CC[,CC]",
        help="compute capabilities, e.g. 8.6,12.0 (TensorRT for RTX only)",
    )
    parser.add_argument(
        "--variant",
        "--flavour",
        choices=VARIANTS,
        help="default: tensorrt where it is installed, else tensorrt_rtx",
    )
    parser.add_argument(
        "--device",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="index of the GPU (default: 0)",
    )
    parser.add_argument(
        "--openvino-device", metavar="NAME", help="CPU, GPU, GPU.1 or NPU (default: CPU)"
    )
    parser.add_argument(
        "--workspace",
        type=whole_number(0),
        metavar="MIB",
        help="limit of the builder's scratch memory; 0: TensorRT's own",
    )
    parser.add_argument(
        "--images",
        "--pictures",
        metavar="PATH",
        help="folder, bag or video that sets the ranges of int8, and on which plans are compared",
    )
    parser.add_argument(
        "--most",
        type=whole_number(1),
        default=MOST_IMAGES,
        metavar="N",
        help="images that set the ranges of int8, spread evenly (default: %(default)s)",
    )
    add_out(parser, "the plan", file=".plan", usual="the user's cache")
    parser.add_argument("--rebuild", action="store_true", help="build even if there is a plan")
    parser.add_argument(
        "--check", action="store_true", help="list what TensorRT cannot take; build nothing"
    )


def run(args: argparse.Namespace) -> int:
    """Check or build."""
    recipe = _recipe(args)
    is_for_openvino = recipe.runtime == "openvino"
    only_with("--runtime openvino", is_for_openvino, {"--openvino-device": args.openvino_device})
    only_with("--runtime tensorrt", not is_for_openvino, {"--device": args.device})
    only_with("--images", recipe.images, {"--most": args.most != MOST_IMAGES})
    if recipe.precision == "int8":
        _check_most(args.most)
    if args.check and is_for_openvino:
        raise ConfigError(
            "--check lists what TensorRT cannot take, and this plan is for OpenVINO; leave it "
            "out, or give --runtime tensorrt"
        )
    if args.check:
        return _check(recipe)
    if is_for_openvino:
        _build_for_openvino(recipe, args)
    else:
        _build_for_tensorrt(recipe, args)
    return 0


def _check_most(most: int) -> None:
    from panoptic_ros.engine.building.quantize import LEAST_IMAGES

    if most < LEAST_IMAGES:
        raise ConfigError(
            f"--most {most}: int8 takes its ranges from at least {LEAST_IMAGES} images"
        )


def _build_for_tensorrt(recipe: Recipe, args: argparse.Namespace) -> None:
    from panoptic_ros.engine.building.compile import build_environment, key_and_place, make_plan
    from panoptic_ros.engine.building.parity import comparison

    here = build_environment(recipe, args.device)
    key, path = key_and_place(recipe, here, args.out)
    is_there = not args.rebuild and say_why(path, recipe, key)
    before = _written_at(path)
    with build_bar() as report:
        ranges, shown = ([], []) if is_there else _images(recipe, key, args.most)
        compare = comparison(recipe.model, here.device if here.runs(recipe) else None, shown)
        manifest = make_plan(recipe, path, here, report, compare, args.rebuild, ranges)
    _tell(path, manifest, here.variant.title, before)


def _build_for_openvino(recipe: Recipe, args: argparse.Namespace) -> None:
    from panoptic_ros.engine.building.openvino import (
        check_recipe,
        load_nncf,
        make_openvino_plan,
    )
    from panoptic_ros.engine.openvino_plan import key_and_place, read_device

    check_recipe(recipe, {entry: option for entry, (option, _) in _chosen(args).items()})
    device = read_device(recipe.openvino_device, "--openvino-device")
    key, path = key_and_place(recipe.model, device, args.out)
    is_there = not args.rebuild and say_why(path, recipe, key)
    # Before all images are counted.
    load_nncf()
    before = _written_at(path)
    with build_bar() as report:
        ranges, shown = ([], []) if is_there else _images(recipe, key, args.most)
        manifest = make_openvino_plan(recipe, path, device, ranges, shown, report, args.rebuild)
    _tell(path, manifest, f"OpenVINO {device.version}", before)
    print(
        "passing is no guarantee: int8 cost street_fast 2.0 points of PQ and street_sharp 2.1 of "
        f"mIoU; score it before it drives: panoptic eval --engine {path}",
        file=sys.stderr,
    )


def _tell(path: Path, manifest: Manifest, runtime: str, before: int) -> None:
    """Say what the plan is, and which files were written."""
    from panoptic_ros.engine.storage.manifest import manifest_path

    show_plan(path, manifest, runtime)
    if _written_at(path) != before:
        print_written([path, manifest_path(path)])


def _written_at(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _recipe(args: argparse.Namespace) -> Recipe:
    from panoptic_ros.engine.building.recipe import RECIPES, Recipe, read_recipe, with_choices
    from panoptic_ros.engine.models import find_model

    path = Path(args.model)
    is_recipe = path.suffix in RECIPES
    recipe = read_recipe(path) if is_recipe else Recipe(find_model(args.model, ".onnx or .yaml"))
    if recipe.model.suffix != ".onnx":
        where = f"{path}: model " if is_recipe else ""
        raise ConfigError(
            f"{where}{recipe.model}: plans are built from an .onnx file or a .yaml recipe"
        )
    return with_choices(recipe, **{entry: value for entry, (_, value) in _chosen(args).items()})


def _chosen(args: argparse.Namespace) -> dict[str, tuple[str, Any]]:
    """Name the option and the value of each entry of a recipe that the command line sets."""
    targets = tuple(args.target.split(",")) if args.target else None
    entries = {
        "precision": ("--precision", args.precision),
        "batch": ("--batch", args.batch),
        "dla": ("--dla", args.dla),
        "targets": ("--target", targets),
        "variant": ("--variant", args.variant),
        "workspace_mib": ("--workspace", args.workspace),
        "images": ("--images", args.images),
        "runtime": ("--runtime", args.runtime),
        "openvino_device": ("--openvino-device", args.openvino_device),
    }
    return {entry: chosen for entry, chosen in entries.items() if chosen[1] is not None}


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
    found = counted(len(findings), "finding") if findings else "no findings"
    print(f"{recipe.model.name}: {nodes} nodes, {found}")
    return 1 if findings else 0


def _images(
    recipe: Recipe, key: PlanKey, most: int
) -> tuple[CalibrationImages, list[NDArray[np.uint8]]]:
    """Choose the recipe's images; says how many.

    Returns:
        Those that set the ranges of int8, and others on which the plan is compared.

    Raises:
        ModelError: They are too few for int8.
    """
    if not recipe.images:
        return [], []
    from panoptic_ros.cli.models.build_images import choose_images

    height, width, _ = (int(size) for size in key.shape.split("x"))
    is_int8 = recipe.precision == "int8"
    ranges, shown, total = choose_images(Path(recipe.images), (height, width), most, is_int8)
    ranging = f"ranges from {counted(len(ranges), 'image')}, " if is_int8 else ""
    print(
        f"{recipe.images}: {ranging}comparison on {counted(len(shown), 'image')}, spread evenly "
        f"over {total}",
        file=sys.stderr,
    )
    return ranges, shown
