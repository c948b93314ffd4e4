# SPDX-License-Identifier: Apache-2.0
"""``panoptic predict``: label files of an input, for evaluation or as pre-annotation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Set
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.engines import open_named
from panoptic_ros.cli.options.inputs import (
    add_engine_arguments,
    add_input_arguments,
    add_runtime_argument,
    engine_name,
    source_of,
)
from panoptic_ros.cli.options.taken_parameters import parameters_of
from panoptic_ros.cli.printing.outputs import (
    add_out,
    make_folder,
    print_written,
    replaced_when_whole,
    reserved,
    unless_empty,
)
from panoptic_ros.cli.printing.progress import progress
from panoptic_ros.core.errors import (
    ConfigError,
    DataError,
    FrameError,
    LateFrameError,
    counted,
    listed,
)

if TYPE_CHECKING:
    from panoptic_ros.core.camera.camera_config import CameraConfig
    from panoptic_ros.core.classes.labels import LabelSet
    from panoptic_ros.core.overlay import OverlayStyle
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.core.result import Result
    from panoptic_ros.data.format import ImageWriter, OpenWriter
    from panoptic_ros.recordings.source import Source


DEFAULT_OUT = Path("out/predict")
ANNOTATED = "annotated"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from panoptic_ros.data.formats import FORMATS

    add_input_arguments(parser)
    add_engine_arguments(parser, "predict")
    add_runtime_argument(parser)
    add_out(parser, "the label files", DEFAULT_OUT)
    parser.add_argument(
        "--format",
        choices=tuple(_writers()),
        required=True,
        help="; ".join(f"{name}: {FORMATS[name].written}" for name in _writers()),
    )
    parser.add_argument(
        "--annotated",
        action="store_true",
        help="also write annotated/*.jpg: the images with classes, objects and drivable edge",
    )
    parser.add_argument(
        "--categories",
        type=Path,
        metavar="GT.json",
        help="coco: take category and image ids from this file, classes matched by name",
    )


def run(args: argparse.Namespace) -> int:
    """Predict every image; 1 where some could not be read.

    Raises:
        DataError: Not one image could.
    """
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.data.formats import FORMATS

    args.out = args.out or DEFAULT_OUT
    _check(args)
    with ExitStack() as stack:
        config = parameters_of(args, "predict")
        source = stack.enter_context(source_of(args))
        opened = open_named(engine_name(args, config), args.threads, "predict", args.runtime)
        engine = stack.enter_context(closing(opened))
        pipeline, camera = Pipeline(engine, config.pipeline), config.recorded_camera(source.topic)
        stack.enter_context(unless_empty(args.out))
        stack.enter_context(reserved(make_folder(args.out)))
        before = _label_files(args)
        folder = stack.enter_context(replaced_when_whole(args.out)) if before else args.out
        writer, counts = _writer(args, folder, engine.spec.labels), _Counts()
        stack.enter_context(_finishing(writer, counts, args.out, is_first=not before))
        draw = folder / ANNOTATED if args.annotated else None
        _label(source, pipeline, camera, writer, draw, config.overlay, counts)
        if not counts.written:
            raise source.nothing_found(-1.0)
    for note in (*source.read_errors.notes, *writer.remarks()):
        print(f"panoptic predict: {note}", file=sys.stderr)
    late = f", {counts.late} left out because they came after a newer one" if counts.late else ""
    print(f"{counted(counts.written, 'image')} labelled{late}")
    drawn = (f"{ANNOTATED}/*.jpg",) if args.annotated else ()
    print_written(args.out / name for name in (*FORMATS[args.format].files, *drawn))
    _tell_older(args.out, before.items() & _label_files(args).items())
    return 1 if source.read_errors else 0


@dataclass
class _Counts:
    """How many images have label files, and how many came after a newer one."""

    written: int = 0
    late: int = 0


@contextmanager
def _finishing(writer: ImageWriter, counts: _Counts, out: Path, is_first: bool) -> Iterator[None]:
    """Write what the format writes at the end; of a run that fails, unless it replaces others."""
    try:
        yield
    except BaseException:
        if counts.written and is_first:
            writer.close()
            print(
                f"panoptic predict: stopped early; {out} holds only the "
                f"{counted(counts.written, 'image')} labelled until then",
                file=sys.stderr,
            )
        raise
    writer.close()


_LabelFile = tuple[Path, tuple[int, int]]


def _label_files(args: argparse.Namespace) -> dict[Path, tuple[int, int]]:
    """The files of the format that are there, with what changes when one is written."""
    from panoptic_ros.data.formats import FORMATS

    patterns = (*FORMATS[args.format].files, f"{ANNOTATED}/*.jpg")
    found = {path: path.stat() for pattern in patterns for path in args.out.glob(pattern)}
    return {path: (status.st_ino, status.st_mtime_ns) for path, status in found.items()}


def _tell_older(out: Path, older: Set[_LabelFile]) -> None:
    """Say which files an earlier run left, as whoever takes the folder takes them as well."""
    names = sorted(str(path.relative_to(out)) for path, _ in older)
    if names:
        stay = "stays" if len(names) == 1 else "stay"
        print(
            f"panoptic predict: {counted(len(names), 'file')} of an earlier run {stay} in {out}: "
            f"{listed(names)}",
            file=sys.stderr,
        )


def _check(args: argparse.Namespace) -> None:
    from panoptic_ros.data.formats import FORMATS

    if args.categories and not FORMATS[args.format].takes_categories:
        taken = [name for name, entry in FORMATS.items() if entry.takes_categories]
        raise ConfigError(f"--categories goes with --format {' or '.join(taken)} only")
    if args.out.resolve() == args.input.resolve():
        raise ConfigError(f"--out {args.out} is the input; label files would overwrite images")


def _label(
    source: Source,
    pipeline: Pipeline,
    camera: CameraConfig,
    writer: ImageWriter,
    draw: Path | None,
    style: OverlayStyle,
    counts: _Counts,
) -> None:
    """Write the label files of every image."""
    from panoptic_ros.core.camera.output_size import resized
    from panoptic_ros.core.camera.rate_limit import RateLimit

    state, limit = pipeline.new_state(camera), RateLimit(camera.max_rate_hz)
    stems: set[str] = set()
    for recorded in progress(source.frames(), source.count, "predict"):
        _check_stem(recorded.stem, stems)
        if not limit.admits(recorded.frame.stamp_ns):
            continue
        try:
            result = resized(pipeline.step(recorded.frame, state), camera)
            writer.write(result, recorded.name)
            if draw is not None:
                _write_annotated(draw / f"{recorded.stem}.jpg", result, style)
            counts.written += 1
        except LateFrameError:
            counts.late += 1
        except FrameError as error:
            source.read_errors.skip(f"image {recorded.name}: {error}")


def _write_annotated(path: Path, result: Result, style: OverlayStyle) -> None:
    from panoptic_ros.core.files.output import write_image

    make_folder(path.parent)
    write_image(path, result.plot(style)[..., ::-1])


def _check_stem(stem: str, stems: set[str]) -> None:
    if stem in stems:
        raise DataError(
            f"two images are named {stem}; their label files would overwrite each other"
        )
    stems.add(stem)


def _writer(args: argparse.Namespace, folder: Path, labels: LabelSet) -> ImageWriter:
    return _writers()[args.format](folder, labels, args.categories)


def _writers() -> dict[str, OpenWriter]:
    """What opens a writer, by the name of its format."""
    from panoptic_ros.data.formats import FORMATS

    return {name: entry.open_writer for name, entry in FORMATS.items() if entry.open_writer}
