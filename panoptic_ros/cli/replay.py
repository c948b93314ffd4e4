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

from panoptic_ros.cli.options.arguments import command_line
from panoptic_ros.cli.options.engines import open_named
from panoptic_ros.cli.options.inputs import (
    add_calibration_argument,
    add_engine_arguments,
    add_input_arguments,
    add_runtime_argument,
    engine_name,
    source_of,
)
from panoptic_ros.cli.options.taken_parameters import parameters_of
from panoptic_ros.cli.printing.json_file import write_json
from panoptic_ros.cli.printing.outputs import (
    add_out,
    print_written,
    told_if_cut_short,
    unless_empty,
)
from panoptic_ros.cli.printing.progress import progress
from panoptic_ros.cli.replaying.outputs import (
    DEFAULT_OUT,
    NAMES,
    SINGLE,
    TOPICS,
    ReplayFiles,
    Sinks,
    files_of,
    open_sinks,
)
from panoptic_ros.cli.replaying.timelines import add_timeline_arguments, timelines
from panoptic_ros.core.errors import DataError, FrameError, LateFrameError, counted
from panoptic_ros.core.model import runtime_words

if TYPE_CHECKING:
    from panoptic_ros.cli.replaying.clouds import ReplayClouds
    from panoptic_ros.cli.replaying.ground import ReplayGround
    from panoptic_ros.core.camera.camera_config import CameraConfig
    from panoptic_ros.core.classes.labels import LabelSet
    from panoptic_ros.core.config import GroundConfig
    from panoptic_ros.core.node_config import NodeConfig
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import Source
    from panoptic_ros.report.record import RunRecord
    from panoptic_ros.report.samples import FromAbove, SampledFrames

LATENCY = "Time of the pipeline for one frame: image in memory to messages made."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    add_calibration_argument(parser)
    add_engine_arguments(parser, "replay")
    add_runtime_argument(parser)
    add_out(parser, f"{', '.join(NAMES)}", DEFAULT_OUT, ".mcap")
    for option, (kind, what) in SINGLE.items():
        parser.add_argument(f"--{option}", type=Path, metavar=kind, help=f"{what}, by itself")
    add_timeline_arguments(parser)
    parser.add_argument(
        "--topics",
        metavar="A,B",
        help="what the bag holds below the node's name, of all that the node publishes (default: "
        f"{','.join(TOPICS)}, and the topics in metres where --params says where the camera sits)",
    )
    parser.add_argument(
        "--clouds",
        default="",
        metavar="TOPIC",
        help="point clouds or depth images of a bag, to be labelled as well (default: "
        "cloud_topics of --params)",
    )


def run(args: argparse.Namespace) -> int:
    """Replay and write what was asked for; 1 where something could not be read."""
    from panoptic_ros.core.drivable.empty import EmptySurface
    from panoptic_ros.core.pipeline import Pipeline

    config = parameters_of(args, "replay")
    with ExitStack() as stack:
        source = stack.enter_context(source_of(args))
        stack.enter_context(unless_empty(args.out or DEFAULT_OUT))
        files = files_of(args)
        stack.enter_context(told_if_cut_short("replay", files.bag))
        opened = open_named(engine_name(args, config), args.threads, "replay", args.runtime)
        engine = stack.enter_context(closing(opened))
        pipeline = Pipeline(engine, config.pipeline)
        camera = config.recorded_camera(source.topic)
        ground = _ground(args, config.ground, camera, source)
        labels = engine.spec.labels
        record, sampled = _blank(source, engine.description, labels)
        record.settings["runtime"] = runtime_words(engine)
        surface = EmptySurface(labels, config.pipeline.drivable)
        clouds = _clouds(args, config, camera, source, stack)
        sinks = open_sinks(files, args.topics, labels, ground, stack, clouds, config)
        others = stack.enter_context(timelines(args, labels, source.topic))
        for result, message_ms in _results(source, pipeline, camera, sinks, record):
            surface.take(result.panoptic, result.drivable)
            maps = ground.maps(result) if ground and (files.report or args.rerun) else None
            for other in others:
                other.take(result, message_ms, maps)
            above = partial(ground.draw, result, maps) if ground and maps else None
            _note_frame(record, sampled, result, message_ms, above)
        sinks.finish()
        if not record.frames:
            raise source.nothing_found(-1.0)
    record.warnings.extend(filter(None, [surface.warning()]))
    if clouds is not None:
        record.warnings.extend(clouds.warnings())
        record.notes.append(f"{counted(clouds.labelled, 'cloud')} labelled")
    if ground is not None and ground.problem:
        # Nobody asked for the ground of a bag whose TF speaks of the base frame.
        told = record.warnings if ground.is_told or args.camera_info else record.notes
        told.append(f"ground topics are off: {ground.problem}")
    _finish(args, files, source, record)
    _write(files, record, sampled)
    return 1 if source.read_errors else 0


def _ground(
    args: argparse.Namespace, config: GroundConfig, camera: CameraConfig, source: Source
) -> ReplayGround | None:
    """Give what finds the ground, where the arguments or the bag's TF say something about it."""
    from panoptic_ros.cli.replaying.ground import ReplayGround

    tree = None
    if source.topic and config.camera_height_m <= 0:
        from panoptic_ros.recordings.bag_transforms import static_transforms

        tree = static_transforms(source.path, source.read_errors)
    ground = ReplayGround(config, camera.rotation, tree)
    return ground if ground.is_placed or args.camera_info else None


def _clouds(
    args: argparse.Namespace,
    config: NodeConfig,
    camera: CameraConfig,
    source: Source,
    stack: ExitStack,
) -> ReplayClouds | None:
    """Open the point clouds, where arguments or parameters name their topic."""
    topic = args.clouds or config.recorded_cloud_topic(source.topic)
    if not topic:
        return None
    from panoptic_ros.cli.replaying.clouds import ReplayClouds
    from panoptic_ros.messages.clouds.cloud_stage import CloudSettings

    settings = CloudSettings(config.points, config.ground, camera.rotation)
    try:
        if not source.topic:
            raise DataError(f"{source.path} is not a bag, so it has no clouds on {topic}")
        return stack.enter_context(ReplayClouds(source.path, topic, settings))
    except DataError as error:
        if args.clouds:
            raise
        # The same parameters serve recordings with and without clouds.
        source.read_errors.remark(f"without point clouds: {error}")
        return None


def _results(
    source: Source, pipeline: Pipeline, camera: CameraConfig, sinks: Sinks, record: RunRecord
) -> Iterator[tuple[Result, float]]:
    from panoptic_ros.core.camera.output_size import resized
    from panoptic_ros.core.camera.rate_limit import RateLimit
    from panoptic_ros.recordings.shown_frame import as_shown

    state, limit = pipeline.new_state(camera), RateLimit(camera.max_rate_hz)
    for recorded in progress(source.frames(), source.count, "replay"):
        if not limit.admits(recorded.frame.stamp_ns):
            record.left_out += 1
            continue
        try:
            result = resized(pipeline.step(recorded.frame, state), camera)
        except LateFrameError:
            record.late += 1
            continue
        except FrameError as error:
            source.read_errors.skip(f"image {recorded.name}: {error}")
            continue
        yield result, sinks.take(result, as_shown(recorded, result, camera))


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
    args: argparse.Namespace, files: ReplayFiles, source: Source, record: RunRecord
) -> None:
    """Note in the record what is known at the end."""
    record.skipped = source.read_errors.skipped
    record.frames_in = len(record.frames) + record.skipped + record.late + record.left_out
    record.warnings.extend(source.read_errors.warnings)
    record.notes.extend(source.read_errors.remarks)
    record.settings |= {
        "command": command_line(args),
        "parameters": str(args.params or "defaults"),
        "calibration": str(args.camera_info or "none given; that of the input, where it has one"),
    }
    if files.overlay and files.report and files.overlay.parent == files.report.parent:
        record.film = files.overlay.name


def _write(files: ReplayFiles, record: RunRecord, sampled: SampledFrames) -> None:
    """Write figures and report, and say what there is."""
    if files.json:
        write_json(files.json, record.stats(), "--json")
    if files.report:
        from panoptic_ros.report.page import write_page

        write_page(files.report, record, sampled.samples(), sampled.doubtful())
    for note in (*record.warnings, *record.notes):
        print(f"panoptic replay: {note}", file=sys.stderr)
    counts = f"{record.skipped} skipped, {record.late} late"
    counts += f", {record.left_out} left out by max_rate_hz" if record.left_out else ""
    print(f"{counted(len(record.frames), 'frame')} processed, {counts}; {record.engine}")
    print_written(files.all())
