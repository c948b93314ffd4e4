# SPDX-License-Identifier: Apache-2.0
"""``panoptic demo``: driving video through the node as it runs on a robot, and what came out."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.inputs import DEFAULT_ENGINE
from panoptic_ros.cli.replay import write_json
from panoptic_ros.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from panoptic_ros.cli.processes import Child
    from panoptic_ros.cli.recording import Recording
    from panoptic_ros.cli.report.pictures import Album
    from panoptic_ros.cli.report.record import RunRecord
    from panoptic_ros.core.model import ModelSpec
    from panoptic_ros.core.result import Result
    from panoptic_ros.ros.player import Player
    from panoptic_ros.ros.sources import Source

IMAGE_TOPIC = "/demo/image_raw"
FIRST_CARS_S = 20.0
"""Before that the demo's video shows an empty road."""

LONGEST_START_S = 60.0
DRAIN_S = 2.5
"""How long the last pictures, and the count of them, may take through node and recorder."""

LATENCY = (
    "From the moment a picture is stamped and sent until the recorder, another process, has its "
    "label image; the stages are the node's own medians."
)
STAND_IN = (
    "The driving video could not be downloaded: this is a drawn street, and its exact masks stand "
    "in for the network. Topics and report are real, the quality is not."
)


@dataclass(frozen=True)
class Material:
    """What is played, which engine runs, and a remark for the report, often empty."""

    source: Source
    engine: str
    remark: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of video to play (default: %(default)s)"
    )
    parser.add_argument(
        "--start", type=float, metavar="S",
        help=f"seconds to leave out before (default: {FIRST_CARS_S:g} of the demo's own video)",
    )  # fmt: skip
    parser.add_argument("--engine", default=DEFAULT_ENGINE, help="default: %(default)s")
    parser.add_argument("--input", type=Path, help="play this bag, video or folder instead")
    parser.add_argument("--topic", default="", help="image topic, where a bag has several")


def run(args: argparse.Namespace) -> int:
    """Play, record, and write bag, film, report and figures."""
    from panoptic_ros.engine.open import open_engine

    # Another robot or demo in the network would be recorded into this one.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{args.out}: cannot be made ({error.strerror})") from error
    with ExitStack() as stack:
        material = _material(args)
        source = stack.enter_context(material.source)
        with closing(open_engine(material.engine)) as engine:
            spec, description = engine.spec, engine.description
        stamps_ns = _perform(material, args.out)
        record, album = _blank(source, spec, description)
        record.frames_in = len(stamps_ns)
        if material.remark:
            record.notes.append(material.remark)
        _digest(args.out, source, stamps_ns, record, album)
    _write(args.out, record, album)
    print_table(record, args.out)
    return 0


def _material(args: argparse.Namespace) -> Material:
    from panoptic_ros.cli.demo_video import demo_video
    from panoptic_ros.ros.sources import Span, open_source

    span = Span(args.start or 0.0, args.seconds)
    if args.input:
        return Material(open_source(args.input, args.topic, span), args.engine, "")
    busy = Span(FIRST_CARS_S, args.seconds) if args.start is None else span
    try:
        return Material(open_source(demo_video(), "", busy), args.engine, "")
    except DataError as error:
        print(f"panoptic demo: {error}.\n{STAND_IN}", file=sys.stderr)
        from panoptic_ros.cli.drawn_source import DrawnSource

        return Material(DrawnSource(span), "drawn", f"{STAND_IN} ({error})")


def _perform(material: Material, out: Path) -> list[int]:
    """Run node, recorder and player together; returns the stamps of what was sent."""
    from panoptic_ros.cli.processes import Child
    from panoptic_ros.cli.recording import recorder_command
    from panoptic_ros.ros.player import Player, PlayOptions

    node_command = [
        sys.executable, "-m", "panoptic_ros.ros.node", "--ros-args",
        "-p", f"engine:={material.engine}", "-r", f"image:={IMAGE_TOPIC}",
    ]  # fmt: skip
    options = PlayOptions(IMAGE_TOPIC, is_live=True, wait_s=1.0)
    with ExitStack() as stack:
        recorder = stack.enter_context(
            Child("recorder", recorder_command(out / "result.mcap"), out / "recorder.log")
        )
        node = stack.enter_context(Child("node", node_command, out / "node.log"))
        player = stack.enter_context(Player(options))
        _wait_until_listening(player, (recorder, node))
        print(f"playing {material.source.path.name} through {IMAGE_TOPIC} ...", flush=True)
        player.play(material.source)
        time.sleep(DRAIN_S)
        node.stop()
        recorder.stop()
        return player.sent_stamps_ns


def _wait_until_listening(player: Player, children: tuple[Child, ...]) -> None:
    """Wait for the node to listen to the pictures, and for the recorder to listen to the node."""
    from panoptic_ros.cli.result_bag import NODE

    end_s = time.monotonic() + LONGEST_START_S
    while not (player.has_listener(IMAGE_TOPIC) and player.has_listener(f"{NODE}/label")):
        for child in children:
            child.check()
        if time.monotonic() > end_s:
            raise ConfigError(
                f"the node does not listen to {IMAGE_TOPIC} after {LONGEST_START_S:.0f} s; "
                + children[-1].last_words()
            )
        time.sleep(0.1)


def _blank(source: Source, spec: ModelSpec, description: str) -> tuple[RunRecord, Album]:
    from panoptic_ros.cli.report.pictures import Album
    from panoptic_ros.cli.report.record import RunRecord

    record = RunRecord(
        title="panoptic_ros demo",
        source=f"{source.path.name} through DDS: player, node and recorder are three processes",
        engine=description,
        labels=spec.labels,
        latency_meaning=LATENCY,
    )
    return record, Album(spec.labels)


def _digest(
    out: Path, source: Source, stamps_ns: list[int], record: RunRecord, album: Album
) -> None:
    """Draw the film and count, from what was recorded."""
    from panoptic_ros.cli.recording import Recording
    from panoptic_ros.cli.report.record import facts_of
    from panoptic_ros.core.overlay import draw_overlay
    from panoptic_ros.ros.video import VideoWriter

    recording = Recording(out / "result.mcap")
    with VideoWriter(out / "overlay.mp4") as film:
        for result, latency_ms in _results(recording, source, stamps_ns):
            record.frames.append(facts_of(result, latency_ms, {}))
            album.offer(result)
            film.write(draw_overlay(result, record.labels), result.frame.stamp_ns)
    if not record.frames:
        raise DataError(
            f"the node published nothing for {len(stamps_ns)} pictures; see {out / 'node.log'} "
            "and run: panoptic doctor"
        )
    record.dropped = record.frames_in - len(record.frames)
    record.stages = recording.stages_ms()
    record.notes.extend(recording.remarks())


def _results(
    recording: Recording, source: Source, stamps_ns: list[int]
) -> Iterator[tuple[Result, float]]:
    """Recorded results with their pictures, matched by stamp."""
    from dataclasses import replace

    from panoptic_ros.cli.report.rebuilt import rebuilt

    recorded = recording.frames()
    maps = next(recorded, None)
    for stamp_ns, shot in zip(stamps_ns, source.shots(), strict=False):
        while maps is not None and maps.stamp_ns < stamp_ns:
            maps = next(recorded, None)
        if maps is not None and maps.stamp_ns == stamp_ns:
            frame = replace(shot.frame, stamp_ns=stamp_ns)
            result = rebuilt(frame, maps.labels, maps.ids, maps.drivable)
            yield result, (maps.arrived_ns - stamp_ns) / 1e6
    # The node's last count of its pictures lies behind its last result.
    for _ in recorded:
        pass


def _write(out: Path, record: RunRecord, album: Album) -> None:
    from panoptic_ros.cli.report.page import write_page

    write_json(out / "stats.json", record.stats())
    write_page(out / "report.html", record, album.moments())


def print_table(record: RunRecord, out: Path) -> None:
    """Print the run's figures."""
    from rich.console import Console
    from rich.table import Table

    stats = record.stats()
    latency = stats["latency_ms"]
    table = Table()
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in (
        ("frames in", stats["frames"]["in"]),
        ("frames processed", stats["frames"]["processed"]),
        ("frames dropped", stats["frames"]["dropped"]),
        ("latency p50", f"{latency['p50']:.1f} ms"),
        ("latency p95", f"{latency['p95']:.1f} ms"),
        ("latency p99", f"{latency['p99']:.1f} ms"),
        ("tracks", stats["tracks"]["count"]),
        ("drivable share", f"{100 * stats['drivable_share']:.1f} %"),
    ):
        table.add_row(name, str(value))
    console = Console()
    console.print(f"{record.source}\n{record.engine}", highlight=False)
    console.print(table)
    for note in record.notes:
        console.print(note, highlight=False)
    files = ("result.mcap", "overlay.mp4", "report.html", "stats.json")
    console.print("wrote " + ", ".join(str(out / name) for name in files), soft_wrap=True)
