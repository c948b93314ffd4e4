# SPDX-License-Identifier: Apache-2.0
"""``panoptic demo``: driving video through the node as it runs on a robot, and what came out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.demonstration.figures_table import print_table
from panoptic_ros.cli.demonstration.session import PlayedCamera, run_session
from panoptic_ros.cli.options.arguments import above_zero, command_line, not_negative
from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.cli.options.engines import open_named
from panoptic_ros.cli.options.inputs import DEFAULT_ENGINE, engine_name
from panoptic_ros.cli.options.taken_parameters import add_parameter_arguments, parameters_of
from panoptic_ros.cli.printing.json_file import write_json
from panoptic_ros.cli.printing.outputs import (
    add_out,
    make_folder,
    print_written,
    replaced_when_whole,
    reserved,
)
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.drivable.empty import no_class_warning
from panoptic_ros.core.errors import ConfigError, DataError, counted
from panoptic_ros.core.overlay import OverlayStyle, draw_overlay

if TYPE_CHECKING:
    from panoptic_ros.cli.demonstration.recording import Recording
    from panoptic_ros.core.model import ModelSpec
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import Source
    from panoptic_ros.report.record import RunRecord
    from panoptic_ros.report.samples import SampledFrames

FIRST_CARS_S = 20.0
"""Before that the demo's video shows an empty road."""

CAMERAS = {"front": FIRST_CARS_S, "left": 0.0, "right": 5.0}
"""Cameras of ``--multi`` and the second at which each one's video begins; one for each video."""

BAG, FILM, NODE_LOG = "result.mcap", "overlay.mp4", "node.log"
LATENCY = (
    "From the moment an image is stamped and sent until the recorder, another process, has its "
    "label image; the stages are the node's own medians."
)
STAND_IN = (
    "The driving video could not be downloaded: this is a drawn street, and its exact masks "
    "replace the neural network's output. Topics and report are real, the quality is not."
)


@dataclass(frozen=True)
class DemoSetup:
    """What is played, which engine runs, a remark for the report, and the node's parameters.

    ``style`` is that of the film; ``drivable`` says which classes count for the surface.
    """

    cameras: tuple[PlayedCamera, ...]
    engine: str
    remark: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    style: OverlayStyle = field(default_factory=OverlayStyle)
    drivable: DrivableConfig = field(default_factory=DrivableConfig)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_out(parser, f"{BAG}, report.html, stats.json, {FILM} and {NODE_LOG}", Path("out/demo"))
    parser.add_argument(
        "--seconds",
        type=above_zero,
        default=20.0,
        help="seconds of video to play (default: %(default)s)",
    )
    parser.add_argument(
        "--start",
        type=not_negative,
        metavar="S",
        help=f"skip the first S seconds (default: {FIRST_CARS_S:g} of the demo's own video)",
    )
    parser.add_argument(
        "--engine",
        help=f"a shipped model's name or an .onnx file (default: that of --params, else "
        f"{DEFAULT_ENGINE})",
    )
    parser.add_argument("--input", type=Path, help="play this bag, video or folder instead")
    parser.add_argument("--topic", default="", help="image topic, if a bag has several")
    parser.add_argument(
        "--camera-info",
        type=Path,
        metavar="YAML",
        help="calibration of the camera of --input, as panoptic calibrate writes it",
    )
    add_parameter_arguments(parser, "demo")
    parser.add_argument(
        "--multi", action="store_true", help="play three videos at once as three cameras"
    )


def run(args: argparse.Namespace) -> int:
    """Play, record, and write bag, film, report and figures."""
    from panoptic_ros.cli.demonstration.recording import Recording
    from panoptic_ros.ros.transport import domain

    # Another robot or demo in the network would be recorded into this one.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    args.out = make_folder(args.out or Path("out/demo"))
    with ExitStack() as stack:
        stack.enter_context(reserved(args.out))
        if domain.VARIABLE not in os.environ:
            os.environ[domain.VARIABLE] = str(stack.enter_context(domain.own_domain()))
            stack.callback(os.environ.pop, domain.VARIABLE)
        setup = _setup(args)
        for camera in setup.cameras:
            stack.enter_context(camera.source)
        with closing(open_named(setup.engine, 0, "demo")) as engine:
            spec, description = engine.spec, engine.description
        no_surface = no_class_warning(spec.labels, setup.drivable)
        bag = stack.enter_context(replaced_when_whole(args.out)) / BAG
        sent = run_session(setup.cameras, setup.engine, bag, args.out, setup.parameters)
        told = {}
        for camera, stamps_ns in zip(setup.cameras, sent, strict=True):
            recording = Recording(bag, camera.results)
            record = _blank(camera, spec, description)
            told[camera.name] = (
                record,
                _tell(args.out, camera, stamps_ns, recording, record, setup.style),
            )
    for name, (record, _) in told.items():
        record.warnings.extend(filter(None, (setup.remark, no_surface)))
        record.settings["command"] = command_line(args)
        _write(args.out / name, *told[name])
        print_table(record)
    overview = args.out / "report.html" if args.multi else None
    if overview:
        _write_overview(overview, told)
    pages = [
        args.out / name / page for name in told for page in (FILM, "report.html", "stats.json")
    ]
    print_written([overview, *pages, args.out / BAG, args.out / NODE_LOG])
    return 0


def _setup(args: argparse.Namespace) -> DemoSetup:
    """Open what is to be played.

    Raises:
        ConfigError: Arguments that exclude each other.
        DataError: ``--input`` cannot be read.
    """
    from panoptic_ros.cli.demonstration.calibrated import (
        calibrated,
        on_the_motorway,
        told_to_node,
    )
    from panoptic_ros.recordings.open import open_source
    from panoptic_ros.recordings.source import TimeRange

    span = TimeRange(args.start or 0.0, args.seconds)
    if args.input and args.multi:
        raise ConfigError("--multi plays the demo's own videos; leave --input or --multi out")
    if not args.input and (args.camera_info or args.params):
        raise ConfigError(
            "--camera-info and --params describe the camera of --input; give --input as well"
        )
    only_with("--input", args.input, {"--topic": args.topic, "--params-node": args.params_node})
    if args.input:
        camera = PlayedCamera("", open_source(args.input, args.topic, span))
        config = parameters_of(args, "demo")
        camera = calibrated(camera, args.camera_info, config)
        told = told_to_node(config, camera.source.topic)
        engine, drivable = engine_name(args, config), config.pipeline.drivable
        return DemoSetup((camera,), engine, "", told, config.overlay, drivable)
    starts = CAMERAS if args.multi else {"": FIRST_CARS_S}
    try:
        cameras = _own_videos(starts, args)
        if not args.multi:
            cameras = (on_the_motorway(cameras[0]),)
    except DataError as error:
        print(f"panoptic demo: {error}.\n{STAND_IN}", file=sys.stderr)
        from panoptic_ros.cli.demonstration.drawn_source import DrawnSource

        drawn = tuple(PlayedCamera(name, DrawnSource(span)) for name in starts)
        return DemoSetup(drawn, "drawn", f"{STAND_IN} ({error})")
    return DemoSetup(cameras, args.engine or DEFAULT_ENGINE, "")


def _own_videos(starts: Mapping[str, float], args: argparse.Namespace) -> tuple[PlayedCamera, ...]:
    from panoptic_ros.cli.demonstration.video import EGO_MASKS, demo_videos
    from panoptic_ros.recordings.open import open_source
    from panoptic_ros.recordings.source import TimeRange

    videos = demo_videos(len(starts))
    return tuple(
        PlayedCamera(
            name,
            open_source(
                video, "", TimeRange(start if args.start is None else args.start, args.seconds)
            ),
            ego_mask=EGO_MASKS.get(video.name, ""),
        )
        for (name, start), video in zip(starts.items(), videos, strict=True)
    )


def _blank(camera: PlayedCamera, spec: ModelSpec, description: str) -> RunRecord:
    from panoptic_ros.report.record import RunRecord

    return RunRecord(
        title=f"panoptic_ros demo {camera.name}".rstrip(),
        source=f"{camera.source.path.name} through DDS: player, node and recorder are three "
        "processes",
        engine=description,
        labels=spec.labels,
        latency_meaning=LATENCY,
    )


def _tell(
    out: Path,
    camera: PlayedCamera,
    stamps_ns: list[int],
    recording: Recording,
    record: RunRecord,
    style: OverlayStyle,
) -> SampledFrames:
    """Draw a camera's film and count, from what was recorded."""
    from functools import partial

    from panoptic_ros.cli.demonstration.camera import GroundImages
    from panoptic_ros.recordings.video_writer import VideoWriter
    from panoptic_ros.report.record import facts_of
    from panoptic_ros.report.samples import SampledFrames

    sampled = SampledFrames(record.labels)
    (out / camera.name).mkdir(exist_ok=True)
    above = GroundImages(camera.place, recording.ground()) if camera.place else None
    with VideoWriter(out / camera.name / FILM) as film:
        for result, latency_ms in _results(recording, camera.source, stamps_ns):
            record.frames.append(facts_of(result, latency_ms, {}))
            sampled.offer(result, partial(above.draw, result) if above else None)
            film.write(draw_overlay(result, record.labels, style), result.frame.stamp_ns)
    if not record.frames:
        raise DataError(
            f"the node published nothing for {counted(len(stamps_ns), 'image')}; see "
            f"{out / NODE_LOG} and run: panoptic doctor"
        )
    record.film = FILM
    record.frames_in = len(stamps_ns)
    _count_losses(record, recording.losses(record.frames_in, len(record.frames)))
    record.stages = recording.stages_ms()
    record.notes.extend(recording.remarks())
    return sampled


def _count_losses(record: RunRecord, losses: dict[str, int]) -> None:
    """Say how many images have no result, and where they were lost, as far as that is known."""
    from panoptic_ros.report.record import DROPPED_AT

    record.skipped, record.late = losses.get("unusable", 0), losses.get("late", 0)
    record.left_out = losses.get("left_out", 0)
    elsewhere = record.skipped + record.late + record.left_out
    record.dropped = max(0, record.frames_in - len(record.frames) - elsewhere)
    record.dropped_at = {stage: losses[stage] for stage in DROPPED_AT if stage in losses}


def _results(
    recording: Recording, source: Source, stamps_ns: list[int]
) -> Iterator[tuple[Result, float]]:
    """Recorded results with their images, matched by stamp."""
    from dataclasses import replace

    from panoptic_ros.report.from_messages import result_from_messages

    published = recording.frames()
    maps = next(published, None)
    for stamp_ns, recorded in zip(stamps_ns, source.frames(), strict=False):
        while maps is not None and maps.stamp_ns < stamp_ns:
            maps = next(published, None)
        if maps is not None and maps.stamp_ns == stamp_ns:
            frame = replace(recorded.frame, stamp_ns=stamp_ns)
            result = result_from_messages(frame, maps.labels, maps.ids, maps.drivable)
            yield result, (maps.arrived_ns - stamp_ns) / 1e6
    # The node's last count of its images lies behind its last result.
    for _ in published:
        pass


def _write(out: Path, record: RunRecord, sampled: SampledFrames) -> None:
    from panoptic_ros.report.page import write_page

    write_json(out / "stats.json", record.stats())
    write_page(out / "report.html", record, sampled.samples(), sampled.doubtful())


def _write_overview(path: Path, told: Mapping[str, tuple[RunRecord, SampledFrames]]) -> None:
    from panoptic_ros.report.overview import write_overview

    cameras = {name: (record, sampled.samples()) for name, (record, sampled) in told.items()}
    write_overview(path, cameras, "panoptic_ros demo, several cameras")
