# SPDX-License-Identifier: Apache-2.0
"""``panoptic adopt``: somebody else's segmentation model in, a self-describing ONNX file out."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import numbers, size
from panoptic_ros.cli.printing.outputs import add_out, byte_words, is_file_name, make_folder
from panoptic_ros.core.classes.label_documents import find_label_set
from panoptic_ros.core.classes.own_classes import drivable_warning
from panoptic_ros.core.errors import ConfigError

if TYPE_CHECKING:
    from panoptic_ros.engine.building.adopt import Adopted
    from panoptic_ros.engine.building.adopt_graph import Preprocessing
    from panoptic_ros.engine.building.foreign import ForeignInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", type=Path, metavar="MODEL.onnx", help="the model to adopt")
    add_out(parser, "the model, named like MODEL.onnx", file=".onnx", is_required=True)
    parser.add_argument(
        "--labels",
        required=True,
        metavar="NAME|FILE",
        help="its classes: cityscapes, coco, ade20k, mapillary, or a label set (YAML)",
    )
    parser.add_argument(
        "--kind",
        choices=("semantic",),
        default="semantic",
        help="kind of output: semantic, a score of each class or a class index for every pixel",
    )
    parser.add_argument(
        "--input",
        choices=("nchw", "nhwc"),
        help="layout of the input (default: read from its shape)",
    )
    parser.add_argument(
        "--colour", choices=("rgb", "bgr"), default="rgb", help="channel order of the input"
    )
    parser.add_argument(
        "--scale", type=float, help="factor applied to the bytes 0..255 (default: 1/255)"
    )
    parser.add_argument(
        "--mean",
        type=numbers,
        metavar="A,B,C",
        help="then subtracted, in the model's channel order",
    )
    parser.add_argument(
        "--std",
        type=numbers,
        metavar="A,B,C",
        help="then divided by, in the model's channel order",
    )
    parser.add_argument(
        "--output", default="", help="output with the classes, if there are several"
    )
    parser.add_argument(
        "--size", type=size, metavar="WxH", help="input size, if the model leaves it open"
    )
    parser.add_argument("--name", default="", help="name of the model (default: the file's stem)")
    parser.add_argument("--license", default="", help="licence of the weights")
    parser.add_argument("--provenance", default="", help="where the weights come from")


def run(args: argparse.Namespace) -> int:
    """Write the model file."""
    from panoptic_ros.engine.building.adopt import Adoption, adopt

    _check_source(args.source)
    if not is_file_name(args.out, ".onnx"):
        args.out /= f"{args.name or args.source.stem}.onnx"
    if args.out.resolve() == args.source.resolve():
        raise ConfigError(f"{args.out}: is the input model; choose another file with --out")
    wanted = Adoption(
        source=args.source,
        labels=find_label_set(args.labels),
        preprocessing=_preprocessing(args),
        layout=args.input or "",
        output=args.output,
        size=args.size,
        name=args.name,
        license=args.license,
        provenance=args.provenance,
    )
    make_folder(args.out.parent)
    _show(adopt(wanted, args.out), wanted.preprocessing, args.out)
    return 0


def _check_source(source: Path) -> None:
    """Refuse what needs another verb, or none.

    Raises:
        ConfigError: It is the name of a model that comes with the package.
        ModelError: It is a checkpoint.
    """
    from panoptic_ros.engine.models import refuse_checkpoint, shipped_models

    if source.is_file():
        refuse_checkpoint(source)
    elif str(source) in shipped_models():
        raise ConfigError(
            f"{source} comes with the package and runs as it is: give its name as the engine "
            f"(--engine {source})"
        )


def _preprocessing(args: argparse.Namespace) -> Preprocessing:
    """Read what is done to an image.

    Raises:
        ConfigError: A number is none that can be meant.
    """
    from panoptic_ros.engine.building.adopt_graph import Preprocessing

    usual = Preprocessing()
    mean, deviation = args.mean or usual.mean, args.std or usual.deviation
    if args.scale is None and max(map(abs, (*mean, *deviation))) > 10.0:
        raise ConfigError(
            f"--mean {mean} and --std {deviation} look like values for 0..255, but bytes are "
            "scaled to 0..1 first; add --scale 1"
        )
    scale = usual.scale if args.scale is None else args.scale
    # Written so that what is no number fails as well.
    if not 0.0 < scale < math.inf:
        raise ConfigError(f"--scale {scale}: needs to be above 0")
    if not min(deviation) > 0.0:
        given = ",".join(f"{value:g}" for value in deviation)
        raise ConfigError(f"--std {given}: each number needs to be above 0")
    return Preprocessing(args.colour, scale, mean, deviation)


def _show(made: Adopted, preprocessing: Preprocessing, path: Path) -> None:
    entry, output, spec = made.entry, made.output, made.spec
    what = "a map of classes"
    if output.layout:
        what = f"{'probabilities' if output.is_probability else 'logits'} ({output.layout})"
    print(f"wrote {path}: {spec.size_words}, {byte_words(path.stat().st_size)}")
    done = _done(entry.dtype, preprocessing)
    print(f"  input   {entry.name!r} ({entry.layout}, {entry.dtype}), {done}")
    print(f"  output  {output.name!r}: {output.width}x{output.height}, {what}")
    print(f"  classes {len(spec.labels)} of the label set {spec.labels.name}")
    if spec.width % output.width or spec.height % output.height:
        _warn(
            f"the output's {output.width}x{output.height} are stretched to the input's "
            f"{spec.width}x{spec.height}{_cure(entry)}"
        )
    if not spec.labels.things.any():
        _warn("the label set has no things, so there will be no objects")
    if warning := drivable_warning(spec.labels):
        _warn(warning)


def _cure(entry: ForeignInput) -> str:
    """Name the nearest size that may do better, by the option that can set it; often empty."""
    width, height = (max(32, round(side / 32) * 32) for side in (entry.width, entry.height))
    if (width, height) == (entry.width, entry.height):
        return ""
    if entry.is_size_open:
        return f"; try --size {width}x{height}"
    return f"; its size is fixed: export it again, e.g. for {width}x{height}"


def _done(dtype: str, wanted: Preprocessing) -> str:
    if dtype == "uint8":
        return f"{wanted.color} as it is"
    return f"({wanted.color} * {wanted.scale:.6g} - {wanted.mean}) / {wanted.deviation}"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)
