# SPDX-License-Identifier: Apache-2.0
"""``panoptic export``: one checkpoint in, one self-describing ONNX file out."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import above_zero, share, size, whole_number
from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.cli.printing.json_file import check_place
from panoptic_ros.cli.printing.outputs import add_out, byte_words, is_file_name, make_folder
from panoptic_ros.core.errors import ConfigError, counted
from panoptic_ros.core.files.output import unwritten

if TYPE_CHECKING:
    from panoptic_ros.model.network import PanopticNetwork


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "checkpoint",
        type=Path,
        nargs="?",
        help="best.pt or last.pt of panoptic train; with --camera-size a model as well",
    )
    parser.add_argument(
        "model", type=Path, nargs="?", metavar="MODEL.onnx", help="the file to write; or --out"
    )
    add_out(parser, "the model, named as --name says or like the checkpoint", file=".onnx")
    parser.add_argument(
        "--size",
        type=size,
        metavar="WxH",
        help="input size (default: 512x256; of hub checkpoints that of their training, or "
        "1024x512)",
    )
    parser.add_argument(
        "--label-scale",
        type=int,
        choices=(1, 2, 4),
        help="label pixels per pixel of the heads; 4: the input's size (default: 4, hub 2)",
    )
    parser.add_argument(
        "--camera-size",
        type=size,
        metavar="WxH",
        help="take images of this size and resize them in the graph, on the GPU",
    )
    parser.add_argument("--name", help="name of the model (default: the file's stem)")
    parser.add_argument(
        "--labels",
        metavar="NAME|FILE",
        help="label set (shipped, or YAML) that says colours and what is drivable",
    )
    parser.add_argument(
        "--balance",
        type=Path,
        metavar="DIR",
        help="add a constant to the score of each stuff class, chosen on 600 images of "
        "DIR/train.json (COCO panoptic) for the highest mean IoU",
    )
    parser.add_argument(
        "--ground-cost",
        type=above_zero,
        metavar="RATIO",
        help="how much worse it is to call pavement or terrain road than the reverse: ln RATIO is "
        "added to their scores (default: 1, nothing)",
    )
    parser.add_argument(
        "--mean-with",
        type=Path,
        action="append",
        default=[],
        metavar="CKPT",
        help="average the weights with those of this checkpoint, e.g. the one that the training "
        "started from; can be repeated",
    )
    parser.add_argument("--license", default="", help="licence of the weights")
    parser.add_argument("--provenance", default="", help="where the weights come from")
    hub = parser.add_argument_group("checkpoints of transformers (docs/models.md)")
    hub.add_argument("--hf", metavar="ID", help="id on the hub, or a folder; replaces CHECKPOINT")
    hub.add_argument(
        "--threshold",
        type=share,
        help="class probability above which a query takes part (default: the family's)",
    )
    hub.add_argument(
        "--mask-threshold",
        type=share,
        help="minimum probability of a mask's pixel (default: 0.5)",
    )
    hub.add_argument(
        "--queries",
        type=whole_number(1, 255),
        help="maximum number of queries that take part (default: 50)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the model file."""
    _name_model(args)
    if (args.checkpoint is None) == (args.hf is None):
        raise ConfigError(
            "export needs one checkpoint: panoptic export CHECKPOINT MODEL.onnx, or "
            "panoptic export --hf ID MODEL.onnx"
        )
    of_hub = {
        "--threshold": args.threshold is not None,
        "--mask-threshold": args.mask_threshold is not None,
        "--queries": args.queries is not None,
    }
    only_with("--hf", args.hf, of_hub)
    make_folder(args.model.parent)
    check_place(args.model, "--out")
    source = None if args.hf else _model_named(args.checkpoint)
    if args.hf or source is not None:
        _refuse_options_of_trainings(args)
    if source is None:
        _export(args)
    elif args.camera_size is None:
        raise ConfigError(
            f"{args.checkpoint} is already a model; only --camera-size can be applied to it"
        )
    if args.camera_size is not None:
        _take_camera_size(source or args.model, args.model, args.camera_size)
    _show(args.model)
    return 0


def _refuse_options_of_trainings(args: argparse.Namespace) -> None:
    """Refuse what only a checkpoint of ``panoptic train`` can take, or, of a model, any one."""
    options: dict[str, object] = {
        "--balance": args.balance,
        "--ground-cost": args.ground_cost,
        "--mean-with": args.mean_with or None,
    }
    if not args.hf:
        options |= {
            "--size": args.size,
            "--label-scale": args.label_scale,
            "--labels": args.labels,
            "--license": args.license or None,
            "--provenance": args.provenance or None,
        }
    if given := [name for name, value in options.items() if value is not None]:
        raise ConfigError(
            f"{' and '.join(given)}: only for checkpoints of panoptic train "
            f"(found {args.hf or args.checkpoint})"
        )


def _name_model(args: argparse.Namespace) -> None:
    """Set what is written: the second word, or what ``--out`` names.

    Raises:
        ConfigError: Neither or both are there, or it is no name of a model.
    """
    if args.hf and args.model is None:
        args.checkpoint, args.model = None, args.checkpoint
    if (args.model is None) == (args.out is None):
        found = "two names" if args.out else "no name"
        raise ConfigError(
            f"found {found} for the model; give one: panoptic export CHECKPOINT MODEL.onnx, "
            "panoptic export --hf ID MODEL.onnx, or --out in place of MODEL.onnx"
        )
    if args.model is None:
        stem = args.name or Path(args.hf or args.checkpoint or "model").stem
        is_file = is_file_name(args.out, ".onnx")
        args.model = args.out if is_file else args.out / f"{stem}.onnx"
    if args.model.suffix != ".onnx":
        raise ConfigError(f"{args.model}: the name must end in .onnx")


def _model_named(path: Path) -> Path | None:
    """Find the model where one was given, None for a checkpoint."""
    from panoptic_ros.engine.models import find_model, shipped_models

    is_model = path.suffix == ".onnx" or str(path) in shipped_models()
    return find_model(str(path), ".onnx") if is_model else None


def _export(args: argparse.Namespace) -> None:
    try:
        if args.hf:
            from panoptic_ros.cli.models.export_hub import export_hub

            return export_hub(args)
        from panoptic_ros.model.export import export
    except ImportError as error:
        raise ConfigError(
            f"export needs PyTorch and onnx ({error}); run: make train-env, "
            "or pip install torch onnx"
        ) from error
    from panoptic_ros.core.classes.label_documents import find_label_set
    from panoptic_ros.core.classes.own_classes import drivable_warning, thing_warning
    from panoptic_ros.model.checkpoint import (
        labels_of,
        load_checkpoint,
        mean_of,
        network_of,
        origin_of,
        spec_of,
    )

    paths = [args.checkpoint, *args.mean_with]
    state = mean_of([load_checkpoint(path) for path in paths], paths)
    chosen = find_label_set(args.labels) if args.labels else None
    start, license_text = origin_of(state)
    trained = f"panoptic train, step {state.get('step', 0)}{f', from {start}' if start else ''}"
    spec = spec_of(
        state["classes"],
        args.size or (512, 256),
        name=args.name or args.model.stem,
        license_text=args.license or license_text,
        provenance=args.provenance or trained,
        labels=chosen or labels_of(state),
    )
    warnings = [drivable_warning(spec.labels)]
    if license_text and not args.license:
        warnings.append(
            f"the licence is that of {start}, from which the training started: {license_text}"
        )
    if chosen is not None:
        warnings.append(thing_warning(state["classes"], chosen))
    for warning in filter(None, warnings):
        print(f"warning: {warning}", file=sys.stderr)
    network = network_of(state)
    if args.balance:
        _balance(network, state["classes"], (spec.width, spec.height), args.balance)
    if args.ground_cost is not None:
        from panoptic_ros.model.balance import weigh_ground

        raised = weigh_ground(network, spec.labels, args.ground_cost)
        print(f"{', '.join(raised)}: {math.log(args.ground_cost):+.2f} for --ground-cost")
    export(network, spec, args.model, args.label_scale or 4)


def _balance(
    network: PanopticNetwork, classes: list[tuple[str, bool]], size: tuple[int, int], data: Path
) -> None:
    """Balance the class scores, and say what that changed."""
    from panoptic_ros.model.balance import balance_classes
    from panoptic_ros.model.training.crops import open_split

    split = open_split(data, "train")
    names = [entry.name for entry in split.categories]
    wanted = [name for name, _ in classes]
    if names != wanted:
        raise ConfigError(
            f"--balance {data}: its classes are {', '.join(names)}; the checkpoint has "
            f"{', '.join(wanted)}; give the data set that it was trained on"
        )
    found = balance_classes(network, split, size)
    print(
        f"balanced on {counted(found.images, 'training image')}: mean IoU "
        f"{100 * found.before:.1f} -> {100 * found.after:.1f} %"
    )
    constants = zip(wanted, found.constants, strict=True)
    changed = [f"{name} {value:+.2f}" for name, value in constants if value]
    print("  " + (", ".join(changed) or "no class changed: the scores are balanced as they are"))


def _take_camera_size(source: Path, target: Path, camera_size: tuple[int, int]) -> None:
    from panoptic_ros.engine.building.camera_size import take_camera_size
    from panoptic_ros.engine.building.model_file import replace_model
    from panoptic_ros.engine.building.prepare import load_model

    model = load_model(source)
    take_camera_size(model, camera_size)
    try:
        replace_model(model, target)
    except OSError as error:
        raise ConfigError(unwritten(target, error)) from error


def _show(path: Path) -> None:
    from panoptic_ros.engine.building.prepare import load_model
    from panoptic_ros.engine.building.recipe import spec_of

    words = spec_of(load_model(path), path.name).size_words
    print(f"wrote {path}: {words}, {byte_words(path.stat().st_size)}")
