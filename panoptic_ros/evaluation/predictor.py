# SPDX-License-Identifier: Apache-2.0
"""What can be scored: label files, a model, or what a node published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panoptic_ros.core.classes.label_table import NameRules
from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.core.model import Engine
from panoptic_ros.data.label_files import LabelFiles, Pair, paired, unpaired
from panoptic_ros.evaluation.engine_predictor import EnginePredictor
from panoptic_ros.evaluation.prediction import EvalTask, from_files

if TYPE_CHECKING:
    from panoptic_ros.evaluation.bag_predictor import BagOptions
    from panoptic_ros.recordings.published import PublishedResults

_FROM_LABELS = (
    "drivable: the surface is what the node would find in the label files, image by image, if it "
    "were sure of every pixel; its filter over time is not run."
)
_FROM_IMAGES = "drivable: single images are scored, without the filter over time."


@dataclass(frozen=True, eq=False)
class Predictor:
    """Images with what is to be scored of them.

    Attributes:
        name: What is scored.
        truth: The data set, in the classes in which it is scored.
        tasks: The images, in order; read once.
        count: How many they are.
        remarks: What was found on the way; complete when all tasks are done.
        files: The same images where they are label files of single images, else empty.
        is_files: Whether they are label files, which do not say what classes they could have.
        surface_remark: Where the drivable surface comes from, if that needs to be said.
    """

    name: str
    truth: LabelFiles
    tasks: Iterable[EvalTask]
    count: int
    remarks: list[str] = field(default_factory=list)
    files: tuple[Pair, ...] = ()
    is_files: bool = False
    surface_remark: str = ""


def files_predictor(
    name: str, truth: LabelFiles, pairs: Sequence[Pair], remarks: Sequence[str] = ()
) -> Predictor:
    """Score label files that are paired with their truth already.

    Args:
        name: What they are.
        truth: The data set.
        pairs: The images, as ``label_files.paired`` pairs them.
        remarks: What was found when they were opened.
    """
    return Predictor(
        name,
        truth,
        from_files(pairs),
        len(pairs),
        list(remarks),
        () if truth.is_video else tuple(pairs),
        is_files=True,
        surface_remark=_FROM_LABELS,
    )


def label_predictor(truth: LabelFiles, found: LabelFiles, name: str = "") -> Predictor:
    """Score predictions that ``formats.open_predictions`` found.

    Raises:
        DataError: An image has no prediction.
    """
    pairs = paired(truth.sequences, found.sequences)
    return files_predictor(name, truth, pairs, found.remarks)


def engine_predictor(
    engine: Engine,
    truth: LabelFiles,
    pairs: Sequence[Pair] | None = None,
    rules: NameRules | None = None,
    config: PipelineConfig | None = None,
    fps: float = 10.0,
) -> Predictor:
    """Score a model, and over sequences its tracker, as the node runs them.

    Args:
        engine: The network; used by the calling thread only, not closed.
        truth: The data set; its classes are matched with the network's by name.
        pairs: Its images, where they are not those of ``truth``.
        rules: Where names differ.
        config: Thresholds.
        fps: Images per second of sequences.

    Raises:
        DataError: The two share no class name.
    """
    images = unpaired(truth.sequences) if pairs is None else pairs
    predictions = EnginePredictor(
        engine, truth.categories, rules, config, fps if truth.is_video else None
    )
    return Predictor(
        engine.description,
        truth,
        predictions.tasks(images),
        len(images),
        predictions.remarks,
        surface_remark="" if truth.is_video else _FROM_IMAGES,
    )


def bag_predictor(
    results: PublishedResults,
    truth: LabelFiles,
    stamped: list[tuple[int, Pair]],
    rules: NameRules | None = None,
    options: BagOptions | None = None,
) -> Predictor:
    """Score what a node published.

    Args:
        results: The bag.
        truth: The data set.
        stamped: The labelled images by rising stamp, as ``stamps.stamped`` finds them.
        rules: Where the class names differ.
        options: How they are matched.

    Raises:
        ConfigError: A value makes no sense.
        DataError: The classes of the bag are not known, or none is the truth's.
    """
    # rosbags is wanted for bags alone.
    from panoptic_ros.evaluation.bag_predictor import BagOptions, open_bag_predictor

    found = open_bag_predictor(results, truth, stamped, rules or {}, options or BagOptions())
    return Predictor(results.node, truth, found.tasks(), results.count, found.remarks)
