# SPDX-License-Identifier: Apache-2.0
"""``panoptic predict``: label files of an input, for evaluation or as pre-annotation."""

from __future__ import annotations

import argparse
import sys
from abc import ABC, abstractmethod
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.inputs import (
    add_engine_arguments,
    add_input_arguments,
    engine_name,
    pipeline_config,
    source_of,
)
from panoptic_ros.cli.progress import progress
from panoptic_ros.core.errors import ConfigError, DataError, FrameError
from panoptic_ros.core.geometry import enlarge

if TYPE_CHECKING:
    from panoptic_ros.core.labels import LabelSet
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import RecordedFrame

FORMATS = ("coco", "kitti-step", "cityscapes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    add_engine_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        required=True,
        help="coco: predictions.json and panoptic/<stem>.png; kitti-step: <stem>.png with track "
        "ids, the input is one sequence; cityscapes: <stem>_instanceIds.png, <stem>_labelIds.png",
    )
    parser.add_argument(
        "--categories",
        type=Path,
        metavar="GT.json",
        help="coco: take category and image ids from this file, classes matched by name",
    )


def run(args: argparse.Namespace) -> int:
    """Predict every image; 1 where something could not be read."""
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.engine.open import open_engine

    if args.categories and args.format != "coco":
        raise ConfigError("--categories goes with --format coco only")
    if args.out.resolve() == args.input.resolve():
        raise ConfigError(f"--out {args.out} is the input; label files would overwrite images")
    with ExitStack() as stack:
        source = stack.enter_context(source_of(args))
        engine = stack.enter_context(closing(open_engine(engine_name(args), args.threads)))
        pipeline = Pipeline(engine, pipeline_config(args.params))
        state = pipeline.new_state()
        writer = stack.enter_context(closing(_writer(args, engine.spec.labels)))
        stems: set[str] = set()
        written = 0
        for recorded in progress(source.frames(), source.count, "predict"):
            _check_stem(recorded.stem, stems)
            try:
                writer.write(pipeline.step(recorded.frame, state), recorded)
                written += 1
            except FrameError as error:
                source.losses.skip(f"image {recorded.name}: {error}")
    if not written:
        raise source.nothing_found(-1.0)
    for note in source.losses.notes:
        print(f"panoptic predict: {note}", file=sys.stderr)
    print(f"{written} images labelled in {args.out}")
    return 1 if source.losses else 0


def _check_stem(stem: str, stems: set[str]) -> None:
    if stem in stems:
        raise DataError(
            f"two images are named {stem}; their label files would overwrite each other"
        )
    stems.add(stem)


def _writer(args: argparse.Namespace, labels: LabelSet) -> ImageWriter:
    folder: Path = args.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({error.strerror})") from error
    if args.format == "kitti-step":
        return KittiStepWriter(folder, labels)
    if args.format == "cityscapes":
        return CityscapesWriter(folder, labels)
    return CocoImageWriter(folder, labels, args.categories)


class ImageWriter(ABC):
    """Writes the label files of one image after the other."""

    @abstractmethod
    def write(self, result: Result, recorded: RecordedFrame) -> None:
        """Write one result."""

    def close(self) -> None:  # noqa: B027 - only one format has something to finish
        """Finish what is written at the end."""


class KittiStepWriter(ImageWriter):
    """``<stem>.png`` with Cityscapes trainIds and track ids."""

    def __init__(self, folder: Path, labels: LabelSet) -> None:
        from panoptic_ros.data.cityscapes import train_id_table

        self._folder = folder
        self._table = train_id_table(labels)

    def write(self, result: Result, recorded: RecordedFrame) -> None:
        """Write one frame of the sequence."""
        from panoptic_ros.data.kitti_step import write_kitti_step

        train_ids = self._table[enlarge(result.track_labels(), result.camera_size)]
        ids = enlarge(result.track_ids(), result.camera_size)
        write_kitti_step(self._folder / f"{recorded.stem}.png", train_ids, ids)


class CityscapesWriter(ImageWriter):
    """``<stem>_instanceIds.png`` and ``<stem>_labelIds.png``; images are independent."""

    def __init__(self, folder: Path, labels: LabelSet) -> None:
        from panoptic_ros.data.cityscapes import label_id_table

        self._folder = folder
        self._table = label_id_table(labels)

    def write(self, result: Result, recorded: RecordedFrame) -> None:
        """Write one image's files."""
        from panoptic_ros.data.cityscapes import write_cityscapes

        label_ids = self._table[enlarge(result.panoptic.labels, result.camera_size)]
        ids = enlarge(result.panoptic.ids, result.camera_size)
        write_cityscapes(self._folder, recorded.stem, label_ids, ids)


class CocoImageWriter(ImageWriter):
    """``predictions.json`` and ``panoptic/<stem>.png``; images are independent."""

    def __init__(self, folder: Path, labels: LabelSet, categories: Path | None) -> None:
        from panoptic_ros.data.coco.writer import CocoWriter, numbering_of, own_numbering

        numbering = numbering_of(categories, labels) if categories else own_numbering(labels)
        self._writer = CocoWriter(folder, numbering, labels.things)

    def write(self, result: Result, recorded: RecordedFrame) -> None:
        """Write one image's segments."""
        size = result.camera_size
        panoptic = result.panoptic
        self._writer.add(
            recorded.name,
            enlarge(panoptic.labels, size),
            enlarge(panoptic.ids, size),
            {segment.id: segment.score for segment in panoptic.segments},
            enlarge(panoptic.confidence, size),
        )

    def close(self) -> None:
        """Write the JSON."""
        self._writer.close()
