# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic eval`` scores: a model, label files, or what a node published."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from panoptic_ros.cli.inputs import pipeline_config
from panoptic_ros.data.class_map import ClassMap, Rules
from panoptic_ros.data.formats import DataSetLocation, format_of, mapped, open_predictions
from panoptic_ros.data.image_search import with_images
from panoptic_ros.data.label_files import LabelFiles, Pair, paired, unpaired
from panoptic_ros.evaluation.engine_predictor import EnginePredictor
from panoptic_ros.evaluation.evaluate import EvalTask, from_files

RULES: dict[str, Rules] = {"kitti-mots": {"person": "pedestrian", "*": "background"}}
"""What the classes of our models are called in a format, where nobody says otherwise."""


@dataclass(frozen=True, eq=False)
class Predictor:
    """Images with what is to be scored of them.

    Attributes:
        name: What is scored.
        truth: The data set, in the classes in which it is scored.
        works: The images, in order; read once.
        count: How many they are.
        remarks: What was found on the way; complete when all works are done.
        files: The same images where they are label files of single images, else empty.
    """

    name: str
    truth: LabelFiles
    tasks: Iterable[EvalTask]
    count: int
    remarks: list[str] = field(default_factory=list)
    files: tuple[Pair, ...] = ()


@contextmanager
def open_predictor(
    args: argparse.Namespace, truth: LabelFiles, classes: ClassMap
) -> Iterator[Predictor]:
    """Open what the command line names.

    Args:
        args: The command line.
        truth: The data set as it is.
        classes: Other names of classes.

    Raises:
        DataError: Something is missing or does not fit the truth.
        ModelError: The model cannot be opened.
    """
    renamed = mapped(truth, classes.truth, is_truth=True)
    if args.engine is not None:
        with _engine(args, renamed, classes) as subject:
            yield subject
    elif args.bag is not None:
        with _bag(args, renamed, classes) as subject:
            yield subject
    else:
        place = DataSetLocation(args.pred, args.pred_dir)
        kind = format_of(args.format, args.gt)
        found = open_predictions(kind, place, truth, classes)
        pairs = _with_images(args, paired(renamed.sequences, found.sequences))
        files = () if renamed.is_video else tuple(pairs)
        yield Predictor(str(args.pred), renamed, from_files(pairs), len(pairs), files=files)


@contextmanager
def _engine(args: argparse.Namespace, truth: LabelFiles, classes: ClassMap) -> Iterator[Predictor]:
    from panoptic_ros.engine.open import open_engine

    pairs = _with_images(args, unpaired(truth.sequences))
    rules = classes.prediction or RULES.get(args.format, {})
    config = pipeline_config(args.params)
    fps = args.fps if truth.is_video else None
    with closing(open_engine(args.engine, args.threads)) as engine:
        predictions = EnginePredictor(engine, truth.categories, rules, config, fps)
        yield Predictor(engine.description, truth, predictions.tasks(pairs), len(pairs))


@contextmanager
def _bag(args: argparse.Namespace, truth: LabelFiles, classes: ClassMap) -> Iterator[Predictor]:
    from panoptic_ros.evaluation.bag_predictor import open_bag_predictor
    from panoptic_ros.evaluation.stamps import stamped
    from panoptic_ros.recordings.published import PublishedResults

    pairs = _with_images(args, unpaired(truth.sequences))
    order = stamped(pairs, args.stamps, args.images, args.fps)
    rules = classes.prediction or RULES.get(args.format, {})
    with PublishedResults(args.bag, args.node) as results:
        predictions = open_bag_predictor(args, results, truth, order, rules)
        name = f"{args.bag}, {results.node}"
        yield Predictor(name, truth, predictions.tasks(), results.count, predictions.remarks)


def _with_images(args: argparse.Namespace, pairs: list[Pair]) -> list[Pair]:
    """Look for images where the annotations do not say where they lie."""
    if args.images is None or format_of(args.format, args.gt) == "coco":
        return pairs
    return with_images(pairs, args.images)
