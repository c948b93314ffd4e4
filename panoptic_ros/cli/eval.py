# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval``: score a model, label files made by anybody, or what a node published."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.options.arguments import add_threads_argument
from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.cli.options.engines import open_graded
from panoptic_ros.cli.options.inputs import add_runtime_argument
from panoptic_ros.cli.options.taken_parameters import add_parameter_arguments, parameters_of
from panoptic_ros.cli.printing.outputs import add_out, print_written
from panoptic_ros.cli.printing.progress import ProgressBar
from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from panoptic_ros.core.classes.label_table import NameRules
    from panoptic_ros.data.class_map import ClassMapFile
    from panoptic_ros.data.label_files import LabelFiles, Pair
    from panoptic_ros.evaluation.evaluate import Evaluation, EvaluationResult
    from panoptic_ros.evaluation.predictor import Predictor
    from panoptic_ros.report.worst_images import WorstImages

_FPS, _TOLERANCE_MS = 10.0, 1.0
_MISSING = ("skip", "count")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    _add_truth(parser.add_argument_group("truth"))
    what = "what is scored: one of --engine, --pred, --bag"
    _add_predictor(parser.add_argument_group(what))
    _add_bag(parser.add_argument_group("--bag"))
    parser.add_argument(
        "--metrics",
        metavar="A,B",
        help="of pq, miou, label_miou, biou, ece, drivable, and for sequences stq, vpq, clear, "
        "hota, idf1 (default: what suits the format)",
    )
    parser.add_argument(
        "--map", type=Path, metavar="YAML", help="class names of truth and prediction to rename"
    )
    parser.add_argument(
        "--by",
        choices=("source", "labels"),
        help="also score the images of each value of this field of a COCO JSON separately",
    )
    add_out(parser, "scores.json and report.html")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all scores here")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write one page: classes, the worst images, ids over time",
    )


def _add_truth(truth: argparse._ArgumentGroup) -> None:
    from panoptic_ros.data.formats import FORMATS

    truth.add_argument("--format", choices=tuple(FORMATS), required=True, help="of the truth")
    truth.add_argument(
        "--gt",
        "--gt-json",
        type=Path,
        required=True,
        metavar="PATH",
        help="; ".join(f"{name}: {entry.layout}" for name, entry in FORMATS.items()),
    )
    truth.add_argument("--gt-dir", type=Path, metavar="DIR", help="PNG files of a JSON")
    truth.add_argument("--images", type=Path, metavar="DIR", help="the images themselves")
    truth.add_argument("--config", type=Path, metavar="JSON", help="vistas: config_v*.json")


def _add_predictor(predictor: argparse._ArgumentGroup) -> None:
    predictor.add_argument(
        "--engine", help="run this model: a shipped one's name or an .onnx file"
    )
    add_threads_argument(predictor)
    add_runtime_argument(predictor)
    add_parameter_arguments(predictor, "eval")
    predictor.add_argument(
        "--fps",
        type=float,
        default=_FPS,
        help="images per second of sequences and folders (default: %(default)g)",
    )
    predictor.add_argument(
        "--pred",
        "--pred-json",
        type=Path,
        metavar="PATH",
        help="predictions, laid out like the truth, or COCO results as panoptic predict writes "
        "them (JSON, or the folder of predictions.json)",
    )
    predictor.add_argument("--pred-dir", type=Path, metavar="DIR", help="PNG files of that JSON")


def _add_bag(bag: argparse._ArgumentGroup) -> None:
    bag.add_argument(
        "--bag",
        type=Path,
        metavar="BAG",
        help="ROS 2 bag of label and instance, or panoptic, images of a node; confidence and "
        "drivable images are scored where they are there",
    )
    bag.add_argument("--node", default="", help="name of the node, if a bag has several")
    bag.add_argument(
        "--stamps",
        type=Path,
        metavar="FILE",
        help="lines 'name stamp' of the labelled images (ns, or seconds with a point); default: "
        "names that are ns, else the order of --images, as replay and play number a folder",
    )
    bag.add_argument(
        "--tolerance-ms",
        type=float,
        default=_TOLERANCE_MS,
        metavar="MS",
        help="how far stamps may be apart (default: %(default)s)",
    )
    bag.add_argument(
        "--missing",
        choices=_MISSING,
        default=_MISSING[0],
        help="labelled images that were not published: left out, or nothing predicted",
    )
    bag.add_argument("--labels", metavar="SET", help="label set, if the bag has no label_info")


def run(args: argparse.Namespace) -> int:
    """Score and print."""
    from panoptic_ros.cli.printing.json_file import write_json
    from panoptic_ros.cli.scoring.scores import show
    from panoptic_ros.data.formats import FORMATS
    from panoptic_ros.evaluation.document import document
    from panoptic_ros.evaluation.score import open_evaluation
    from panoptic_ros.evaluation.selection import chosen
    from panoptic_ros.report.worst_images import WorstImages

    _check(args)
    scores_json, page = _files(args)
    metrics = chosen(args.metrics, FORMATS[args.format].metrics)
    truth, classes = _truth(args)
    with _predictor(args, truth, classes) as predictor:
        evaluation = open_evaluation(predictor, metrics, args.by)
        worst_images = WorstImages(evaluation.labels) if page else None
        result = _scored(predictor, evaluation, worst_images)
        name, remarks = predictor.name, predictor.remarks
        found = document(result, metrics, name, str(args.gt), remarks, args.by)
    if scores_json:
        write_json(scores_json, found, "--json" if args.json else "--out")
    if page and worst_images:
        _write_page(page, found, evaluation, worst_images)
    show(found)
    print_written([scores_json, page])
    return 0


def _files(args: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """Name the JSON and the page, None where one is not wanted; both can be written."""
    from panoptic_ros.cli.printing.json_file import check_place

    scores_json = args.json or (args.out / "scores.json" if args.out else None)
    page = args.html or (args.out / "report.html" if args.out else None)
    for path, named, option in ((scores_json, args.json, "--json"), (page, args.html, "--html")):
        if path:
            check_place(path, option if named else "--out")
    return scores_json, page


def _check(args: argparse.Namespace) -> None:
    given = [name for name in ("engine", "pred", "bag") if getattr(args, name) is not None]
    if len(given) != 1:
        found = " and ".join(f"--{name}" for name in given) or "nothing to score"
        raise ConfigError(f"found {found}; give one of --engine, --pred, --bag")
    of_engine = {
        "--params": args.params,
        "--params-node": args.params_node,
        "--threads": args.threads,
        "--runtime": args.runtime != EngineConfig.runtime,
    }
    of_bag = {
        "--node": args.node,
        "--stamps": args.stamps,
        "--tolerance-ms": args.tolerance_ms != _TOLERANCE_MS,
        "--missing": args.missing != _MISSING[0],
        "--labels": args.labels,
    }
    only_with("--engine", args.engine, of_engine)
    only_with("--bag", args.bag, of_bag)
    only_with("--pred", args.pred, {"--pred-dir": args.pred_dir})
    only_with("--engine or --bag", args.engine or args.bag, {"--fps": args.fps != _FPS})
    if not 0 < args.fps < math.inf:
        raise ConfigError(f"--fps is {args.fps}, needs a number above 0")


def _truth(args: argparse.Namespace) -> tuple[LabelFiles, ClassMapFile]:
    from panoptic_ros.data.class_map import ClassMapFile, read_class_map
    from panoptic_ros.data.format import DataSetLocation
    from panoptic_ros.data.formats import open_truth

    if args.config and not args.config.is_file():
        raise DataError(f"{args.config}: no such file")
    place = DataSetLocation(args.gt, args.gt_dir, args.images, args.config)
    classes = read_class_map(args.map) if args.map else ClassMapFile()
    return open_truth(args.format, place), classes


@contextmanager
def _predictor(
    args: argparse.Namespace, truth: LabelFiles, classes: ClassMapFile
) -> Iterator[Predictor]:
    """Open what the command line names, in the classes in which it is scored."""
    from panoptic_ros.data.formats import mapped

    renamed = mapped(truth, classes.truth, is_truth=True)
    if args.engine is not None:
        with _engine(args, renamed, _rules(args, classes)) as predictor:
            yield predictor
    elif args.bag is not None:
        with _bag(args, renamed, _rules(args, classes)) as predictor:
            yield predictor
    else:
        yield _label_files(args, truth, renamed, classes)


def _rules(args: argparse.Namespace, classes: ClassMapFile) -> NameRules:
    from panoptic_ros.data.formats import FORMATS

    return classes.prediction or FORMATS[args.format].model_names


def _label_files(
    args: argparse.Namespace, truth: LabelFiles, renamed: LabelFiles, classes: ClassMapFile
) -> Predictor:
    from panoptic_ros.data.format import DataSetLocation
    from panoptic_ros.data.formats import format_of, open_predictions
    from panoptic_ros.data.label_files import paired
    from panoptic_ros.evaluation.predictor import files_predictor

    place = DataSetLocation(args.pred, args.pred_dir)
    found = open_predictions(format_of(args.format, args.gt), place, truth, classes)
    pairs = _with_images(args, paired(renamed.sequences, found.sequences))
    return files_predictor(str(args.pred), renamed, pairs, found.remarks)


@contextmanager
def _engine(args: argparse.Namespace, truth: LabelFiles, rules: NameRules) -> Iterator[Predictor]:
    from panoptic_ros.data.label_files import unpaired
    from panoptic_ros.evaluation.predictor import engine_predictor

    pairs = _with_images(args, unpaired(truth.sequences))
    config = parameters_of(args, "eval").pipeline
    opened = open_graded(args.engine, args.threads, "eval", args.runtime)
    with closing(opened) as engine:
        yield engine_predictor(engine, truth, pairs, rules, config, args.fps)


@contextmanager
def _bag(args: argparse.Namespace, truth: LabelFiles, rules: NameRules) -> Iterator[Predictor]:
    from panoptic_ros.data.label_files import unpaired
    from panoptic_ros.evaluation.bag_predictor import BagOptions
    from panoptic_ros.evaluation.predictor import bag_predictor
    from panoptic_ros.evaluation.stamps import stamped
    from panoptic_ros.recordings.published import PublishedResults

    pairs = _with_images(args, unpaired(truth.sequences))
    order = stamped(pairs, args.stamps, args.images, args.fps)
    options = BagOptions(args.labels, args.tolerance_ms, args.missing == "count")
    with PublishedResults(args.bag, args.node) as results:
        found = bag_predictor(results, truth, order, rules, options)
        yield replace(found, name=f"{args.bag}, {results.node}")


def _with_images(args: argparse.Namespace, pairs: list[Pair]) -> list[Pair]:
    """Look for images where the annotations do not say where they lie."""
    from panoptic_ros.data.formats import FORMATS, format_of
    from panoptic_ros.data.image_search import with_images

    if args.images is None or FORMATS[format_of(args.format, args.gt)].finds_images:
        return pairs
    return with_images(pairs, args.images)


def _scored(
    predictor: Predictor, evaluation: Evaluation, worst_images: WorstImages | None
) -> EvaluationResult:
    from panoptic_ros.evaluation.score import run

    watch = worst_images.offer if worst_images else None
    with ProgressBar("eval", predictor.count) as bar:
        return run(predictor, evaluation, watch, bar.advance)


def _write_page(
    path: Path, found: dict[str, Any], evaluation: Evaluation, worst_images: WorstImages
) -> None:
    from panoptic_ros.report.score_page import write_score_page

    write_score_page(
        path,
        found,
        evaluation.labels,
        worst_images.worst(),
        worst_images.qualities,
        evaluation.id_histories(),
    )
