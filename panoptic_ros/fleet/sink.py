# SPDX-License-Identifier: Apache-2.0
"""Where the results of one bag go: a bag of labels, or label files, aside until they are whole."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.result import Result
from panoptic_ros.data.format import ImageWriter
from panoptic_ros.data.formats import FORMATS
from panoptic_ros.fleet.job import MCAP, Job
from panoptic_ros.fleet.opened import OpenedBag
from panoptic_ros.recordings.bag_writer import BagWriter, typestore
from panoptic_ros.recordings.offered_qos import offered_qos
from panoptic_ros.recordings.result_bag import NODE, ResultBag
from panoptic_ros.recordings.shown_frame import as_shown
from panoptic_ros.recordings.source import RecordedFrame

_IMAGE_WORDS = re.compile(
    r"^(image|compressed|video|h264|h265|ffmpeg|raw|packet)(_\w+)?$|^image$", re.ASCII
)


class Sink(ABC):
    """Takes the results of all cameras of one bag in the order of time.

    Attributes:
        notes: What could not be taken over, one sentence each.
    """

    notes: tuple[str, ...] = ()

    @abstractmethod
    def write(self, camera: int, result: Result, recorded: RecordedFrame) -> None:
        """Write one result of a camera."""

    @abstractmethod
    def finish(self) -> None:
        """Finish the files."""

    def close(self) -> None:  # noqa: B027 - label files have nothing open
        """Close what is open, finished or not; safe to call twice."""


class LabelBag(Sink):
    """One MCAP file with the topics of every camera; the input's own beside them if wanted.

    Args:
        path: The file.
        topics: Image topics of the cameras, in their order.
        labels: The model's classes.
        job: Says which topics.
        merged: The input, where its own topics are wanted, too.
    """

    def __init__(
        self,
        path: Path,
        topics: Sequence[str],
        labels: LabelSet,
        job: Job,
        merged: OpenedBag | None,
    ) -> None:
        self._views = [job.config.recorded_camera(topic) for topic in topics]
        self._writer = BagWriter(path)
        self._cameras = [
            ResultBag(self._writer, job.outputs, labels, node=node, config=job.config)
            for node in nodes_of(topics)
        ]
        self._records = None
        if merged is not None:
            known = {t.name for t in merged.topics if _is_known(t.type, t.encoding)}
            lost = sorted({f"{t.name} ({t.type})" for t in merged.topics if t.name not in known})
            self.notes = (f"not merged, their types are not known: {', '.join(lost)}",) * bool(
                lost
            )
            self._qos = {t.name: offered_qos(t.qos) for t in merged.topics}
            self._records = merged.records(known)
            self._next = next(self._records, None)

    def write(self, camera: int, result: Result, recorded: RecordedFrame) -> None:
        """Write the messages about a frame at the time at which the bag received it."""
        self._copy_until(recorded.time_ns)
        shown = as_shown(recorded, result, self._views[camera])
        self._cameras[camera].write(result, shown, time_ns=recorded.time_ns)

    def finish(self) -> None:
        """Copy what is left, and finish the file."""
        self._copy_until(None)
        self._writer.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._writer.close()

    def _copy_until(self, time_ns: int | None) -> None:
        """Copy the input's records up to a time, None for all."""
        if self._records is None:
            return
        while self._next is not None and (time_ns is None or self._next.time_ns <= time_ns):
            record = self._next
            qos = self._qos[record.topic]
            self._writer.write_raw(record.topic, record.type, record.data, record.time_ns, qos)
            self._next = next(self._records, None)


class LabelFilesSink(Sink):
    """Label files in a folder per camera.

    Args:
        folder: Where to.
        topics: Image topics of the cameras, in their order.
        labels: The model's classes.
        name: Of the format.
    """

    def __init__(self, folder: Path, topics: Sequence[str], labels: LabelSet, name: str) -> None:
        open_writer = FORMATS[name].open_writer
        if open_writer is None:
            raise ConfigError(f"format {name} is not written; choose another")
        self._writers: list[ImageWriter] = []
        for node in nodes_of(topics):
            place = folder / node.removeprefix(NODE).strip("/").replace("/", "_")
            place.mkdir(parents=True, exist_ok=True)
            self._writers.append(open_writer(place, labels, None))

    def write(self, camera: int, result: Result, recorded: RecordedFrame) -> None:
        """Write the label files of a frame, named by its stamp in nanoseconds."""
        self._writers[camera].write(result, f"{result.frame.stamp_ns}.png")

    def finish(self) -> None:
        """Finish what is written at the end."""
        for writer in self._writers:
            writer.close()


def open_sink(
    folder: Path, stem: str, topics: Sequence[str], labels: LabelSet, job: Job, bag: OpenedBag
) -> Sink:
    """Open what a job wants.

    Args:
        folder: An empty folder.
        stem: Name of the bag without its ending.
        topics: Image topics of the cameras, in their order.
        labels: The model's classes.
        job: What is wanted.
        bag: The input.
    """
    if job.format != MCAP:
        return LabelFilesSink(folder, topics, labels, job.format)
    path = folder / f"{stem}.labels.mcap"
    return LabelBag(path, topics, labels, job, bag if job.is_merged else None)


def nodes_of(topics: Sequence[str]) -> list[str]:
    """Name what stands above the topics of each camera: that of the node, as it would be.

    >>> nodes_of(["/cam/image_raw"]), nodes_of(["/l/image_raw", "/r/image/compressed"])
    (['/panoptic'], ['/panoptic/l', '/panoptic/r'])
    """
    if len(topics) == 1:
        return [NODE]
    names = [_camera_name(topic) for topic in topics]
    return [
        f"{NODE}/{name}" if names.count(name) == 1 else f"{NODE}/{topic.strip('/')}"
        for name, topic in zip(names, topics, strict=True)
    ]


def _camera_name(topic: str) -> str:
    """Name a camera by its topic, without the words that say that these are images."""
    parts = [part for part in topic.split("/") if part]
    while len(parts) > 1 and _IMAGE_WORDS.match(parts[-1]):
        parts.pop()
    return "/".join(parts)


def _is_known(kind: str, encoding: str) -> bool:
    return encoding == "cdr" and kind in typestore().types
