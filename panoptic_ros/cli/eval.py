# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval``: score a model, or label files made by anybody, against labelled images."""

from __future__ import annotations

import argparse
import json
import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.inputs import pipeline_config
from panoptic_ros.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from panoptic_ros.data.coco_panoptic import CocoPanoptic
    from panoptic_ros.metrics.runner import Report, Watch

FORMATS = ("coco",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--format", choices=FORMATS, required=True, help="of the truth")
    parser.add_argument(
        "--gt-json", type=Path, required=True, metavar="JSON", help="COCO panoptic annotations"
    )
    parser.add_argument(
        "--gt-dir", type=Path, required=True, metavar="DIR", help="their PNG files"
    )
    parser.add_argument(
        "--engine", help="score this model: a shipped model's name or an .onnx file"
    )
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="with --engine: the images to run it on"
    )
    parser.add_argument("--threads", type=int, default=0, help="of inference; 0: one per core")
    parser.add_argument(
        "--params", type=Path, metavar="YAML", help="parameter file of the node; thresholds count"
    )
    parser.add_argument(
        "--pred-json", type=Path, metavar="JSON", help="score these COCO panoptic results"
    )
    parser.add_argument("--pred-dir", type=Path, metavar="DIR", help="their PNG files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all scores here")


def run(args: argparse.Namespace) -> int:
    """Score and print."""
    from panoptic_ros.data.coco_panoptic import read_coco_panoptic

    _check(args)
    data = read_coco_panoptic(args.gt_json, args.gt_dir, args.images or args.gt_dir)
    if not data.records:
        raise DataError(f"{args.gt_json}: has no annotated image")
    with _Progress(len(data.records)) as bar:
        subject, report = _engine(args, data, bar) if args.engine else _files(args, data, bar)
    found = document(report, subject, str(args.gt_json))
    if args.json:
        _write(args.json, found)
    _show(found)
    return 0


def _check(args: argparse.Namespace) -> None:
    wanted = {
        "--engine": args.engine,
        "--images": args.images,
        "--pred-json": args.pred_json,
        "--pred-dir": args.pred_dir,
    }
    given = {name for name, value in wanted.items() if value is not None}
    if given not in ({"--engine", "--images"}, {"--pred-json", "--pred-dir"}):
        raise ConfigError(
            f"found {', '.join(sorted(given)) or 'nothing to score'}; needs either --engine and "
            "--images, or --pred-json and --pred-dir"
        )


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


def document(report: Report, subject: str, truth: str) -> dict[str, Any]:
    """Write scores as JSON values: fractions, null where there is nothing to score.

    Args:
        report: The scores.
        subject: What was scored.
        truth: Against what.
    """
    panoptic, semantic = report.panoptic, report.semantic
    groups = {"all": panoptic.all, "things": panoptic.things, "stuff": panoptic.stuff}
    found = {
        "subject": subject,
        "truth": truth,
        "images": report.images,
        "panoptic": {
            name: {"pq": mean.pq, "sq": mean.sq, "rq": mean.rq, "classes": mean.classes}
            for name, mean in groups.items()
        },
        "semantic": {"miou": semantic.miou, "accuracy": semantic.accuracy},
        "classes": [
            {
                "id": category.id,
                "name": category.name,
                "is_thing": category.is_thing,
                "pq": quality.pq,
                "sq": quality.sq,
                "rq": quality.rq,
                "iou": iou,
                "matched": quality.matched,
                "false_alarms": quality.false_alarms,
                "missed": quality.missed,
            }
            for category, quality, iou in zip(
                report.categories, panoptic.classes.values(), semantic.classes, strict=True
            )
        ],
    }
    cleaned: dict[str, Any] = _without_nan(found)
    return cleaned


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _write(path: Path, found: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{found['subject']}, {found['images']} images",
        caption=f"truth: {found['truth']}\npercent; - where truth and prediction have none",
    )
    table.add_column("class")
    for name in ("PQ", "SQ", "RQ", "IoU", "matched", "false", "missed"):
        table.add_column(name, justify="right")
    for name, mean in found["panoptic"].items():
        iou = found["semantic"]["miou"] if name == "all" else None
        scores = [*(mean[key] for key in ("pq", "sq", "rq")), iou]
        table.add_row(f"{name} ({mean['classes']})", *map(_percent, scores), style="bold")
    table.add_section()
    for entry in found["classes"]:
        scores = [entry[key] for key in ("pq", "sq", "rq", "iou")]
        counts = [str(entry[key]) for key in ("matched", "false_alarms", "missed")]
        table.add_row(entry["name"], *map(_percent, scores), *counts)
    Console().print(table)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
