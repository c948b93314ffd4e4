# SPDX-License-Identifier: Apache-2.0
"""``panoptic split-crowds``: objects for the crowds of a COCO panoptic data set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import command_line
from panoptic_ros.cli.options.engines import open_named
from panoptic_ros.cli.options.inputs import add_engine_arguments, add_runtime_argument, engine_name
from panoptic_ros.cli.options.taken_parameters import parameters_of
from panoptic_ros.cli.printing.outputs import add_out, make_folder, print_written, reserved
from panoptic_ros.cli.printing.progress import progress
from panoptic_ros.core.errors import ConfigError, counted, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.core.classes.categories import Category
    from panoptic_ros.core.classes.labels import LabelSet
    from panoptic_ros.core.config import DecodeConfig
    from panoptic_ros.core.model import Engine
    from panoptic_ros.core.types import Panoptic
    from panoptic_ros.data.crowds.annotation import CrowdCounts
    from panoptic_ros.data.crowds.data_set import CrowdDataSet, See, Selection
    from panoptic_ros.data.crowds.objects import CrowdRule
    from panoptic_ros.data.crowds.shapes import Shapes

NO_SHAPES = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from panoptic_ros.data.crowds.objects import LEAST_SCORE
    from panoptic_ros.data.crowds.shapes import SHIPPED

    parser.add_argument(
        "--gt", type=Path, required=True, metavar="JSON", help="COCO panoptic annotations"
    )
    parser.add_argument(
        "--gt-dir",
        type=Path,
        metavar="DIR",
        help="their PNG files (default: the folder of the JSON's name, or panoptic/ beside it)",
    )
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="the images (default: images/ beside the JSON)"
    )
    add_out(parser, "the new data set; what does not change is linked there", is_required=True)
    parser.add_argument(
        "--classes", metavar="A,B", help="classes whose crowds are split (default: all things)"
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME",
        help="only images with this value in the field source; can be repeated",
    )
    parser.add_argument(
        "--most", type=int, metavar="N", help="split only the first N images, as a trial"
    )
    parser.add_argument(
        "--shapes",
        default=SHIPPED,
        metavar="NAME|YAML",
        help="outlines by which a piece is one object: a file like config/shapes/street.yaml, or "
        f"{NO_SHAPES} to rely on the network alone (default: {SHIPPED})",
    )
    parser.add_argument(
        "--least-score",
        type=float,
        default=LEAST_SCORE,
        metavar="S",
        help="minimum score of the network's objects, 0..1 (default: %(default)s)",
    )
    add_engine_arguments(parser, "split-crowds")
    add_runtime_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Divide the crowds; 1 where images could not be read and stay as they are.

    Raises:
        ConfigError: An argument makes no sense.
        DataError: The data set cannot be used, or the folder cannot be written.
        ModelError: There is no such model.
    """
    from panoptic_ros.data.crowds.data_set import CrowdDataSet
    from panoptic_ros.data.format import DataSetLocation

    shapes = _shapes(args)
    data = CrowdDataSet(DataSetLocation(args.gt, args.gt_dir, args.images), _selection(args))
    config = parameters_of(args, "split-crowds")
    opened = open_named(engine_name(args, config), args.threads, "split-crowds", args.runtime)
    with closing(opened) as engine:
        labels = engine.spec.labels
        rules = _rules(data.categories, labels, shapes, args.least_score)
        with reserved(make_folder(args.out)):
            output = data.open_output(args.out)
            see = _eyes(engine, config.decode)
            for image in progress(data.images, len(data.images), "split-crowds"):
                data.split(image, rules, see, output)
            written = data.close(
                output, {"command": command_line(args), "engine": engine.spec.name}
            )
    _print_result(data, rules)
    print_written((*written, args.out / "panoptic/*.png"))
    return 1 if data.progress.unreadable else 0


def _selection(args: argparse.Namespace) -> Selection:
    from panoptic_ros.data.crowds.data_set import Selection

    if args.most is not None and args.most < 1:
        raise ConfigError(f"--most is {args.most}, needs 1 or more")
    if not 0 <= args.least_score <= 1:
        raise ConfigError(f"--least-score is {args.least_score}, needs 0 to 1")
    names = (name.strip() for name in (args.classes or "").split(","))
    return Selection(tuple(filter(None, names)), tuple(args.source), args.most)


def _shapes(args: argparse.Namespace) -> Shapes:
    from panoptic_ros.data.crowds.shapes import find_shapes, read_shapes

    return {} if args.shapes == NO_SHAPES else read_shapes(find_shapes(args.shapes))


def _rules(
    categories: tuple[Category, ...], labels: LabelSet, shapes: Shapes, least_score: float
) -> dict[int, CrowdRule]:
    """Rules by category id; classes are matched by name.

    Raises:
        ConfigError: Neither the model nor the shape rules know one of the classes.
    """
    from panoptic_ros.data.crowds.objects import CrowdRule

    known = {label.name: label.index for label in labels.labels if label.is_thing}
    rules = {
        entry.id: CrowdRule(entry.name, known.get(entry.name), shapes.get(entry.name), least_score)
        for entry in categories
    }
    if not any(rule.label is not None or rule.shape for rule in rules.values()):
        ours = listed(entry.name for entry in categories)
        raise ConfigError(
            f"neither the model nor --shapes knows the classes of the crowds: {ours}; the model's "
            f"things are {', '.join(known) or 'none'}"
        )
    return rules


def _eyes(engine: Engine, config: DecodeConfig) -> See:
    """What the network sees in a single image: objects that it tells apart, no mere regions."""
    from dataclasses import replace

    from panoptic_ros.core.decoding.decode import decode
    from panoptic_ros.core.geometry import shrink

    # A connected region says nothing that the pieces of a crowd do not say.
    apart = replace(config, region_confidence=1.0, semantic_things="stuff")

    def see(image: NDArray[np.uint8]) -> Panoptic:
        heads = engine.infer(shrink(image, engine.input))
        return decode(heads, engine.spec.labels, apart)

    return see


def _print_result(data: CrowdDataSet, rules: Mapping[int, CrowdRule]) -> None:
    done = data.progress
    _print_table(done.counts)
    print(f"{counted(done.images, 'image')} with crowds, {done.changed} with new objects")
    unknown = [rule for rule in rules.values() if rule.label is None]
    if unknown:
        names = ", ".join(
            f"{rule.name} ({'by shape alone' if rule.shape else 'stays crowd'})"
            for rule in unknown
        )
        _note(f"the model does not have {names}")
    lacking = {name: count.without_id for name, count in done.counts.items() if count.without_id}
    for name, number in lacking.items():
        _note(
            f"{counted(number, 'object')} of {name} stay crowd: their images have used up the "
            "class's ids, 1000 times its own id plus 1 to 999"
        )
    if done.unreadable:
        _note(
            f"{counted(len(done.unreadable), 'image')} cannot be read, their crowds stay as they "
            f"are; the first: {done.unreadable[0]}"
        )


def _note(text: str) -> None:
    print(f"panoptic split-crowds: {text}", file=sys.stderr)


def _print_table(counts: Mapping[str, CrowdCounts]) -> None:
    from rich.console import Console
    from rich.table import Table

    from panoptic_ros.data.crowds.annotation import CrowdCounts

    table = Table(title="crowds to objects", caption="crowd: pixels")
    table.add_column("class")
    for head in ("from shape", "from network", "crowd before", "crowd after"):
        table.add_column(head, justify="right")
    total = sum(counts.values(), CrowdCounts())
    for name, count in (*sorted(counts.items()), ("all", total)):
        numbers = (count.from_shape, count.from_network, count.pixels_before, count.pixels_after)
        table.add_row(name, *(f"{number:,}" for number in numbers))
    Console(markup=False).print(table)
