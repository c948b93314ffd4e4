# SPDX-License-Identifier: Apache-2.0
"""``panoptic replay``: the node's pipeline over a recorded input, without DDS, deterministic."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.arguments import command_line
from panoptic_ros.cli.inputs import (
    add_engine_arguments,
    add_input_arguments,
    engine_name,
    source_of,
)
from panoptic_ros.cli.json_file import check_place, write_json
from panoptic_ros.cli.progress import progress
from panoptic_ros.cli.result_bag import ResultBag
from panoptic_ros.core.errors import ConfigError, FrameError, LateFrameError
from panoptic_ros.core.parameter_file import read_parameters

if TYPE_CHECKING:
    from panoptic_ros.cli.replay_ground import ReplayGround
    from panoptic_ros.core.classes.labels import LabelSet
    from panoptic_ros.core.config import GroundConfig
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import RecordedFrame, Source
    from panoptic_ros.recordings.video import VideoWriter
    from panoptic_ros.report.record import RunRecord
    from panoptic_ros.report.samples import FromAbove, SampledFrames

TOPICS = (
    "label",
    "instance",
    "panoptic",
    "confidence",
    "drivable",
    "detections",
    "overlay/compressed",
)
"""What a result bag holds; the raw overlay would be the compressed one in ten times the size."""

LATENCY = "Time of the pipeline for one frame: image in memory to messages made."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    add_engine_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="MCAP", help="bag of the node's topics")
    parser.add_argument("--report", type=Path, metavar="HTML", help="one page about the run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the run's figures")
    parser.add_argument("--overlay", type=Path, metavar="MP4", help="film of the overlay")
    parser.add_argument(
        "--topics",
        metavar="A,B",
        help=f"what --out holds below the node's name (default: {','.join(TOPICS)}, and the "
        "topics in metres where --params says where the camera sits; also: overlay)",
    )


def run(args: argparse.Namespace) -> int:
    """Replay and write what was asked for; 1 where something could not be read."""
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.engine.open import open_engine

    if not (args.out or args.report or args.json or args.overlay):
        raise ConfigError("nothing to write; give one of --out, --report, --json, --overlay")
    for path, option in ((args.json, "--json"), (args.report, "--report")):
        if path:
            check_place(path, option)
    config = read_parameters(args.params, args.params_node)
    ground = _ground(args, config.ground)
    with ExitStack() as stack:
        source = stack.enter_context(source_of(args))
        engine = stack.enter_context(closing(open_engine(engine_name(args), args.threads)))
        pipeline = Pipeline(engine, config.pipeline)
        labels = engine.spec.labels
        record, sampled = _blank(source, engine.description, labels)
        sinks = _sinks(args, labels, ground, stack)
        for result, message_ms in _results(source, pipeline, sinks, record):
            above = _above(result, ground if args.report else None)
            _note_frame(record, sampled, result, message_ms, above)
    if not record.frames:
        raise source.nothing_found(-1.0)
    if ground is not None and ground.problem:
        record.warnings.append(f"ground topics are off: {ground.problem}")
    _finish(args, source, record, sampled)
    return 1 if source.read_errors else 0


def _ground(args: argparse.Namespace, config: GroundConfig) -> ReplayGround | None:
    """Give what finds the ground, where the arguments say something about it."""
    from panoptic_ros.cli.replay_ground import ReplayGround

    ground = ReplayGround(config)
    return ground if ground.is_placed or args.camera_info else None


def _results(
    source: Source, pipeline: Pipeline, sinks: Sinks, record: RunRecord
) -> Iterator[tuple[Result, float]]:
    state = pipeline.new_state()
    for recorded in progress(source.frames(), source.count, "replay"):
        try:
            result = pipeline.step(recorded.frame, state)
        except LateFrameError:
            record.late += 1
            continue
        except FrameError as error:
            source.read_errors.skip(f"image {recorded.name}: {error}")
            continue
        yield result, sinks.take(result, recorded)


def _above(result: Result, ground: ReplayGround | None) -> FromAbove | None:
    """Give what draws the ground of a frame from above; None where it is not known."""
    maps = None if ground is None else ground.maps(result)
    return None if ground is None or maps is None else partial(ground.draw, result, maps)


def _note_frame(
    record: RunRecord,
    sampled: SampledFrames,
    result: Result,
    message_ms: float,
    above: FromAbove | None,
) -> None:
    from panoptic_ros.report.record import facts_of

    stages_ms = {**result.stages_ms, "messages": message_ms}
    facts = facts_of(result, sum(stages_ms.values()), stages_ms)
    record.frames.append(facts)
    sampled.offer(result, above)
    sampled.offer_doubtful(result, facts.confidence)


def _blank(source: Source, engine: str, labels: LabelSet) -> tuple[RunRecord, SampledFrames]:
    from panoptic_ros.report.record import RunRecord
    from panoptic_ros.report.samples import SampledFrames

    what = f"{source.path.name} {source.topic}".strip()
    record = RunRecord(f"Replay of {source.path.name}", what, engine, labels, LATENCY)
    return record, SampledFrames(labels)


def _finish(
    args: argparse.Namespace, source: Source, record: RunRecord, sampled: SampledFrames
) -> None:
    record.skipped = source.read_errors.skipped
    record.frames_in = len(record.frames) + record.skipped + record.late
    record.warnings.extend(source.read_errors.warnings)
    record.notes.extend(source.read_errors.remarks)
    record.settings |= {
        "command": command_line(args),
        "parameters": str(args.params or "defaults"),
        "calibration": str(args.camera_info or "none given; that of the input, where it has one"),
    }
    if args.overlay and args.report and args.overlay.parent == args.report.parent:
        record.film = args.overlay.name
    if args.json:
        write_json(args.json, record.stats(), "--json")
    if args.report:
        from panoptic_ros.report.page import write_page

        write_page(args.report, record, sampled.samples(), sampled.doubtful())
    for note in (*record.warnings, *record.notes):
        print(f"panoptic replay: {note}", file=sys.stderr)
    counts = f"{record.skipped} skipped, {record.late} late"
    print(f"{len(record.frames)} frames processed, {counts}")


class Sinks:
    """Where results go: a bag, a film, both or none.

    Args:
        bag: The bag's writer and the names it holds, or None.
        film: The film's writer, or None.
        labels: The model's classes.
        ground: Finds the ground of each frame, or None.
    """

    def __init__(
        self,
        bag: ResultBag | None,
        film: VideoWriter | None,
        labels: LabelSet,
        ground: ReplayGround | None,
    ) -> None:
        self._ground = ground
        self._bag = bag
        self._film = film
        self._labels = labels

    def take(self, result: Result, recorded: RecordedFrame) -> float:
        """Write one result; returns the milliseconds that making its messages took."""
        found = self._ground.find(result, recorded) if self._ground else None
        message_ms = self._bag.write(result, recorded, found) if self._bag else 0.0
        if self._film:
            from panoptic_ros.core.overlay import draw_overlay

            self._film.write(draw_overlay(result, self._labels), result.frame.stamp_ns)
        return message_ms


def _sinks(
    args: argparse.Namespace, labels: LabelSet, ground: ReplayGround | None, stack: ExitStack
) -> Sinks:
    bag = film = None
    if args.out:
        is_placed = ground is not None and ground.is_placed
        names = _topic_names(args.topics, is_placed)
        bag = stack.enter_context(closing(ResultBag(args.out, names, labels, is_placed)))
    if args.overlay:
        from panoptic_ros.recordings.video import VideoWriter

        film = stack.enter_context(VideoWriter(args.overlay))
    return Sinks(bag, film, labels, ground)


def _topic_names(told: str | None, is_placed: bool) -> list[str]:
    """Topics of the result bag; ground topics where the camera's pose is known."""
    from panoptic_ros.messages.topic import GroundTopic
    from panoptic_ros.messages.topics import rows_of

    if told is not None:
        return [name.strip() for name in told.split(",") if name.strip()]
    return [*TOPICS, *(rows_of(GroundTopic) if is_placed else ())]
