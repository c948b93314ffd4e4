# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval``: score a model, label files made by anybody, or what a node published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.progress import ProgressBar
from panoptic_ros.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from panoptic_ros.data.class_map import ClassMap
    from panoptic_ros.data.label_files import LabelFiles
    from panoptic_ros.evaluation.evaluate import Comparison, Evaluation, EvaluationResult
    from panoptic_ros.evaluation.predictor import Predictor
    from panoptic_ros.report.worst_images import WorstImages

FORMATS = ("coco", "cityscapes", "kitti-step", "kitti-mots", "ade20k", "vistas")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    _add_truth(parser.add_argument_group("truth"))
    _add_subject(parser.add_argument_group("what is scored: one of --engine, --pred, --bag"))
    _add_bag(parser.add_argument_group("--bag"))
    parser.add_argument(
        "--metrics",
        metavar="A,B",
        help="of pq, miou, biou, ece, drivable, and for sequences stq, vpq, clear, hota, idf1 "
        "(default: what suits the format)",
    )
    parser.add_argument(
        "--map", type=Path, metavar="YAML", help="class names of truth and prediction to rename"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all scores here")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write one page: classes, the worst images, ids over time",
    )


def _add_truth(truth: argparse._ArgumentGroup) -> None:
    truth.add_argument("--format", choices=FORMATS, required=True, help="of the truth")
    truth.add_argument(
        "--gt",
        "--gt-json",
        type=Path,
        required=True,
        metavar="PATH",
        help="coco: JSON; cityscapes: folder of *_instanceIds.png; kitti-step: one folder of PNG "
        "files per sequence; kitti-mots: instances or instances_txt; ade20k: folder of *_seg.png, "
        "or a JSON; vistas: instances of a version, or a JSON",
    )
    truth.add_argument("--gt-dir", type=Path, metavar="DIR", help="PNG files of a JSON")
    truth.add_argument("--images", type=Path, metavar="DIR", help="the images themselves")
    truth.add_argument("--config", type=Path, metavar="JSON", help="vistas: config_v*.json")


def _add_subject(subject: argparse._ArgumentGroup) -> None:
    subject.add_argument("--engine", help="run this model: a shipped one's name or an .onnx file")
    subject.add_argument("--threads", type=int, default=0, help="of inference; 0: one per core")
    subject.add_argument(
        "--params", type=Path, metavar="YAML", help="parameter file of the node; thresholds count"
    )
    subject.add_argument(
        "--fps", type=float, default=10.0, help="images per second of sequences and folders"
    )
    subject.add_argument(
        "--pred",
        "--pred-json",
        type=Path,
        metavar="PATH",
        help="predictions, laid out like the truth, or COCO results as panoptic predict writes "
        "them (JSON, or the folder of predictions.json)",
    )
    subject.add_argument("--pred-dir", type=Path, metavar="DIR", help="PNG files of that JSON")


def _add_bag(bag: argparse._ArgumentGroup) -> None:
    bag.add_argument(
        "--bag",
        type=Path,
        metavar="BAG",
        help="ROS 2 bag of label and instance, or panoptic, images of a node; confidence and "
        "drivable images are scored where they are there",
    )
    bag.add_argument("--node", default="", help="name of the node, where a bag has several")
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
        default=1.0,
        metavar="MS",
        help="how far stamps may be apart (default: %(default)s)",
    )
    bag.add_argument(
        "--missing",
        choices=("skip", "count"),
        default="skip",
        help="labelled images that were not published: left out, or nothing predicted",
    )
    bag.add_argument("--labels", metavar="SET", help="label set, where the bag has no label_info")


def run(args: argparse.Namespace) -> int:
    """Score and print."""
    from panoptic_ros.cli.json_file import write_json
    from panoptic_ros.cli.scores import document, show
    from panoptic_ros.evaluation.evaluate import Evaluation
    from panoptic_ros.evaluation.predictor import open_predictor
    from panoptic_ros.evaluation.selection import chosen
    from panoptic_ros.report.worst_images import WorstImages

    _check(args)
    metrics = chosen(args.metrics, args.format)
    truth, classes = _truth(args)
    with open_predictor(args, truth, classes) as subject:
        evaluation = Evaluation(subject.truth.categories, metrics, subject.truth.is_video)
        worst_images = WorstImages(evaluation.labels) if args.html else None
        result = _scored(subject, evaluation, worst_images)
        found = document(result, metrics, subject.name, str(args.gt), subject.remarks)
    if args.json:
        write_json(args.json, found, "--json")
    if worst_images:
        _write_page(args.html, found, evaluation, worst_images)
    show(found)
    return 0


def _check(args: argparse.Namespace) -> None:
    given = [name for name in ("engine", "pred", "bag") if getattr(args, name) is not None]
    if len(given) != 1:
        found = " and ".join(f"--{name}" for name in given) or "nothing to score"
        raise ConfigError(f"found {found}; give one of --engine, --pred, --bag")
    if not args.fps > 0:
        raise ConfigError(f"--fps is {args.fps}, needs a number above 0")


def _truth(args: argparse.Namespace) -> tuple[LabelFiles, ClassMap]:
    from panoptic_ros.data.class_map import ClassMap, read_class_map
    from panoptic_ros.data.formats import DataSetLocation, open_truth

    if args.config and not args.config.is_file():
        raise DataError(f"{args.config}: no such file")
    place = DataSetLocation(args.gt, args.gt_dir, args.images, args.config)
    classes = read_class_map(args.map) if args.map else ClassMap()
    return open_truth(args.format, place), classes


def _scored(
    subject: Predictor, evaluation: Evaluation, worst_images: WorstImages | None
) -> EvaluationResult:
    from panoptic_ros.evaluation.evaluate import evaluate
    from panoptic_ros.evaluation.processes import evaluate_files

    with ProgressBar("eval", subject.count) as bar:
        if subject.files and not worst_images:
            categories, metrics = subject.truth.categories, evaluation.metrics
            return evaluate_files(categories, metrics, subject.files, bar.advance)

        def watch(comparison: Comparison) -> None:
            bar.advance(1)
            if worst_images:
                worst_images.offer(comparison)

        return evaluate(evaluation, subject.tasks, watch)


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
