# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval``: score a model, or label files made by anybody, against labelled images."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.inputs import pipeline_config
from panoptic_ros.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from panoptic_ros.data.coco_panoptic import CocoPanoptic
    from panoptic_ros.metrics.runner import Report, Watch

FORMATS = ("coco", "cityscapes", "kitti-step")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--format", choices=FORMATS, required=True, help="of the truth")
    coco = parser.add_argument_group("coco: images")
    coco.add_argument("--gt-json", type=Path, metavar="JSON", help="COCO panoptic annotations")
    coco.add_argument("--gt-dir", type=Path, metavar="DIR", help="their PNG files")
    coco.add_argument(
        "--engine", help="score this model: a shipped model's name or an .onnx file"
    )
    coco.add_argument(
        "--images", type=Path, metavar="DIR", help="with --engine: the images to run it on"
    )
    coco.add_argument("--threads", type=int, default=0, help="of inference; 0: one per core")
    coco.add_argument(
        "--params", type=Path, metavar="YAML", help="parameter file of the node; thresholds count"
    )
    coco.add_argument(
        "--pred-json", type=Path, metavar="JSON", help="score these COCO panoptic results"
    )
    coco.add_argument("--pred-dir", type=Path, metavar="DIR", help="their PNG files")
    files = parser.add_argument_group("cityscapes: images, kitti-step: sequences")
    files.add_argument(
        "--gt", type=Path, metavar="DIR",
        help="cityscapes: *_instanceIds.png, in one folder or one per city; kitti-step: one "
        "folder of PNG files per sequence, or only one",
    )  # fmt: skip
    files.add_argument("--pred", type=Path, metavar="DIR", help="predictions, laid out likewise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all scores here")


def run(args: argparse.Namespace) -> int:
    """Score and print."""
    from panoptic_ros.cli.scores import show

    _check(args)
    score = {"coco": _images, "cityscapes": _label_files, "kitti-step": _sequences}
    found = score[args.format](args)
    if args.json:
        _write(args.json, found)
    show(found)
    return 0


WAYS = {
    "coco": (
        ("--gt-json", "--gt-dir", "--engine", "--images"),
        ("--gt-json", "--gt-dir", "--pred-json", "--pred-dir"),
    ),
    "cityscapes": (("--gt", "--pred"),),
    "kitti-step": (("--gt", "--pred"),),
}
"""What a format needs; each way names files, apart from thresholds."""


def _check(args: argparse.Namespace) -> None:
    names = sorted({name for ways in WAYS.values() for way in ways for name in way})
    given = [name for name in names if getattr(args, name[2:].replace("-", "_")) is not None]
    ways = WAYS[args.format]
    if given not in [sorted(way) for way in ways]:
        raise ConfigError(
            f"found {', '.join(given) or 'nothing to score'}; --format {args.format} needs "
            + ", or ".join(" ".join(way) for way in ways)
        )


def _sequences(args: argparse.Namespace) -> dict[str, Any]:
    from panoptic_ros.cli.scores import sequence_document
    from panoptic_ros.data.kitti_step import CATEGORIES, find_sequences, read_labels
    from panoptic_ros.metrics.sequence_runner import evaluate_sequences, pair_frames

    pairs = pair_frames(find_sequences(args.gt), find_sequences(args.pred))
    with _Progress(len(pairs)) as bar:
        report = evaluate_sequences(pairs, CATEGORIES, read_labels, bar)
    return sequence_document(report, str(args.pred), str(args.gt))


def _label_files(args: argparse.Namespace) -> dict[str, Any]:
    from panoptic_ros.cli.scores import document
    from panoptic_ros.data.cityscapes import CATEGORIES, find_instance_ids, read_instance_ids
    from panoptic_ros.metrics.sequence_runner import evaluate_label_files, pair_frames

    pairs = pair_frames({"": find_instance_ids(args.gt)}, {"": find_instance_ids(args.pred)})
    with _Progress(len(pairs)) as bar:
        report = evaluate_label_files(pairs, CATEGORIES, read_instance_ids, bar)
    return document(report, str(args.pred), str(args.gt))


def _images(args: argparse.Namespace) -> dict[str, Any]:
    from panoptic_ros.cli.scores import document
    from panoptic_ros.data.coco_panoptic import read_coco_panoptic

    data = read_coco_panoptic(args.gt_json, args.gt_dir, args.images or args.gt_dir)
    if not data.records:
        raise DataError(f"{args.gt_json}: has no annotated image")
    with _Progress(len(data.records)) as bar:
        subject, report = _engine(args, data, bar) if args.engine else _files(args, data, bar)
    return document(report, subject, str(args.gt_json))


def _engine(args: argparse.Namespace, data: CocoPanoptic, watch: Watch) -> tuple[str, Report]:
    from panoptic_ros.engine.open import open_engine
    from panoptic_ros.metrics.runner import evaluate_engine

    config = pipeline_config(args.params)
    with closing(open_engine(args.engine, args.threads)) as engine:
        return engine.description, evaluate_engine(engine, data, config.decode, watch)


def _files(args: argparse.Namespace, data: CocoPanoptic, watch: Watch) -> tuple[str, Report]:
    from panoptic_ros.data.coco_panoptic import read_coco_predictions
    from panoptic_ros.metrics.runner import evaluate_predictions

    predictions = read_coco_predictions(args.pred_json, args.pred_dir)
    return str(args.pred_json), evaluate_predictions(data, predictions, watch)


class _Progress:
    """A bar on stderr where somebody looks; called with every image."""

    def __init__(self, images: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("eval", total=images)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, *_: object) -> None:
        self._bar.advance(self._task)


def _write(path: Path, found: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error
