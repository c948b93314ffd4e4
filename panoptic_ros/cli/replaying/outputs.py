# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic replay`` writes: a bag, a report, figures and a film, all or some of them."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.printing.json_file import check_place
from panoptic_ros.cli.printing.outputs import is_file_name
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.recordings.result_bag import ResultBag

if TYPE_CHECKING:
    from panoptic_ros.cli.replaying.clouds import ReplayClouds
    from panoptic_ros.cli.replaying.ground import ReplayGround
    from panoptic_ros.core.classes.labels import LabelSet
    from panoptic_ros.core.overlay import OverlayStyle
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import RecordedFrame
    from panoptic_ros.recordings.video_writer import VideoWriter

DEFAULT_OUT = Path("out/replay")
NAMES = ("result.mcap", "report.html", "stats.json", "overlay.mp4")
"""Files in the folder of ``--out``."""

SINGLE = {
    "report": ("HTML", "report of the run as one page"),
    "json": ("FILE", "the run's figures"),
    "overlay": ("MP4", "film of the overlay"),
}
"""Options that name one of the files elsewhere; without ``--out`` only such are written."""

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


@dataclass(frozen=True)
class ReplayFiles:
    """The files of a replay; None where one is not wanted."""

    bag: Path | None
    report: Path | None
    json: Path | None
    overlay: Path | None

    def all(self) -> tuple[Path | None, ...]:
        """All of them, in the order of ``NAMES``."""
        paths: tuple[Path | None, ...] = astuple(self)
        return paths


def files_of(args: argparse.Namespace) -> ReplayFiles:
    """Say what is written, and make sure that it can be before the run.

    Raises:
        DataError: A file cannot be written.
    """
    named = (None, args.report, args.json, args.overlay)
    if args.out is not None and is_file_name(args.out, ".mcap"):
        files = ReplayFiles(args.out, *named[1:])
    elif args.out is None and any((*named, args.rerun, args.trace)):
        files = ReplayFiles(*named)
    else:
        folder = args.out or DEFAULT_OUT
        files = ReplayFiles(
            *(path or folder / name for path, name in zip(named, NAMES, strict=True))
        )
    options = ("--out", "--report", "--json", "--overlay")
    for path, name, option in zip(files.all(), named, options, strict=True):
        if path is not None:
            check_place(path, option if name else "--out")
    return files


class Sinks:
    """Where results go: a bag, a film, both or none.

    Args:
        bag: The bag's writer and the names it holds, or None.
        film: The film's writer, or None.
        labels: The model's classes.
        ground: Finds the ground of each frame, or None.
        clouds: Labels the point clouds, or None.
        style: How the film looks.
    """

    def __init__(
        self,
        bag: ResultBag | None,
        film: VideoWriter | None,
        labels: LabelSet,
        ground: ReplayGround | None,
        clouds: ReplayClouds | None = None,
        style: OverlayStyle | None = None,
    ) -> None:
        self._style = style
        self._clouds = clouds
        self._ground = ground
        self._bag = bag
        self._film = film
        self._labels = labels

    def take(self, result: Result, recorded: RecordedFrame) -> float:
        """Write one result; returns the milliseconds that making its messages took."""
        found = self._ground.find(result, recorded) if self._ground else None
        cloud = None
        if self._clouds and self._bag:
            for labelled in self._clouds.take(result, recorded):
                self._bag.write_cloud(labelled)
            cloud = self._clouds.near(result)
        message_ms = self._bag.write(result, recorded, found, cloud) if self._bag else 0.0
        if self._film:
            from panoptic_ros.core.overlay import draw_overlay

            film_frame = draw_overlay(result, self._labels, self._style)
            self._film.write(film_frame, result.frame.stamp_ns)
        return message_ms

    def finish(self) -> None:
        """Write what was only waiting for a later image."""
        if self._clouds and self._bag:
            for labelled in self._clouds.finish():
                self._bag.write_cloud(labelled)


def open_sinks(
    files: ReplayFiles,
    topics: str | None,
    labels: LabelSet,
    ground: ReplayGround | None,
    stack: ExitStack,
    clouds: ReplayClouds | None = None,
    config: NodeConfig | None = None,
) -> Sinks:
    """Open bag and film, where they are wanted.

    Args:
        files: What is written.
        topics: What the bag holds, separated by commas; None for the usual ones.
        labels: The model's classes.
        ground: Finds the ground of each frame, or None.
        stack: Closes them.
        clouds: Labels the point clouds, or None.
        config: How the node would make the messages; None for its defaults.

    Raises:
        ConfigError: A topic cannot be recorded, or a library is not installed.
        DataError: A file cannot be written.
    """
    bag = film = None
    config = config or NodeConfig()
    if files.bag:
        is_placed = ground is not None and ground.is_placed
        names, has_clouds = _topic_names(topics, is_placed, bool(clouds)), clouds is not None
        made = ResultBag(files.bag, names, labels, is_placed, has_clouds, config=config)
        bag = stack.enter_context(made)
    if files.overlay:
        from panoptic_ros.recordings.video_writer import VideoWriter

        film = stack.enter_context(VideoWriter(files.overlay))
    return Sinks(bag, film, labels, ground, clouds, config.overlay)


def _topic_names(told: str | None, is_placed: bool, has_clouds: bool) -> list[str]:
    """Topics of the result bag; those in metres where the pose or points are known."""
    from panoptic_ros.messages.topic import CloudTopic, GroundTopic
    from panoptic_ros.messages.topics import rows_of

    if told is not None:
        return [name.strip() for name in told.split(",") if name.strip()]
    in_metres = rows_of(GroundTopic) if is_placed else ()
    return [*TOPICS, *in_metres, *(rows_of(CloudTopic) if has_clouds else ())]
