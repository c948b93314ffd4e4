# SPDX-License-Identifier: Apache-2.0
"""What a replay shows in the viewers of others: a Rerun recording, and a trace of the stages.

Source: https://rerun.io/docs/reference/types
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.cli.printing.json_file import check_place
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.output import write_text, written_aside
from panoptic_ros.core.files.stage_trace import StageTrace
from panoptic_ros.core.result import Result

if TYPE_CHECKING:
    from panoptic_ros.report.bird_view import GroundMaps

TIMELINE = "stamp"
MOST_FRAMES = 1_000_000

_UNKNOWN, _FREE, _OCCUPIED = range(3)
_CELLS = (
    (_UNKNOWN, "unknown", (60, 60, 60)),
    (_FREE, "free", (60, 180, 90)),
    (_OCCUPIED, "occupied", (200, 60, 50)),
)
"""What cells of the grid are, with their colours."""


class Timeline(Protocol):
    """Takes the results of a replay in their order."""

    def take(self, result: Result, message_ms: float, maps: GroundMaps | None) -> None:
        """Note one result, the milliseconds that its messages took, and the ground if known."""


def add_timeline_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files for other viewers."""
    parser.add_argument("--rerun", type=Path, metavar="RRD", help="recording for Rerun, by itself")
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="JSON",
        help="stages of every frame for Perfetto or chrome://tracing, by itself",
    )


@contextmanager
def timelines(args: argparse.Namespace, labels: LabelSet, camera: str) -> Iterator[list[Timeline]]:
    """Open what is wanted; the files are in their places when the run went well.

    Args:
        args: With ``rerun`` and ``trace``.
        labels: The model's classes.
        camera: Name of the camera, such as its topic.

    Raises:
        ConfigError: rerun-sdk is not installed.
        DataError: A file cannot be written.
    """
    for path, option in ((args.rerun, "--rerun"), (args.trace, "--trace")):
        if path is not None:
            check_place(path, option)
    found: list[Timeline] = []
    trace = Trace(camera)
    if args.trace is not None:
        found.append(trace)
    if args.rerun is None:
        yield found
    else:
        with written_aside(args.rerun) as part:
            recording = RerunRecording(part, labels, camera)
            yield [*found, recording]
            recording.close()
    if args.trace is not None:
        write_text(args.trace, trace.text())


class Trace:
    """The stages of every frame, one after the other, as they took time.

    Args:
        camera: Name of the camera; its frames are one row.
    """

    def __init__(self, camera: str) -> None:
        self._trace, self._camera = StageTrace(MOST_FRAMES), camera or "camera"
        self._now_s = 0.0

    def take(self, result: Result, message_ms: float, maps: GroundMaps | None) -> None:
        """Note the stages of one frame."""
        stages_ms = {**result.stages_ms, "messages": message_ms}
        told = {"stamp_ns": str(result.frame.stamp_ns), "objects": len(result.tracks)}
        self._trace.add(self._camera, "frame", self._now_s, stages_ms, told)
        self._now_s += sum(stages_ms.values()) / 1e3

    def text(self) -> str:
        """Write the file."""
        return self._trace.text()


class RerunRecording:
    """Image, classes, objects with ids, drivable surface and times on one timeline.

    Args:
        path: The file.
        labels: The model's classes; they become an annotation context.
        camera: Name of the camera.

    Raises:
        ConfigError: rerun-sdk is not installed.
    """

    def __init__(self, path: Path, labels: LabelSet, camera: str) -> None:
        try:
            import rerun
        except ImportError as error:
            raise ConfigError("--rerun needs rerun-sdk; run: pip install rerun-sdk") from error
        self._rerun: Any = rerun
        self._base = f"/{camera.strip('/') or 'camera'}"
        self._stream: Any = rerun.RecordingStream("panoptic_ros")
        self._stream.save(str(path))
        context = [(one.index, one.name, tuple(one.color)) for one in labels.labels]
        self._log("", rerun.AnnotationContext(context), static=True)
        self._log("ground", rerun.AnnotationContext(list(_CELLS)), static=True)

    def take(self, result: Result, message_ms: float, maps: GroundMaps | None) -> None:
        """Write one frame."""
        rerun = self._rerun
        self._stream.set_time(TIMELINE, timestamp=np.datetime64(result.frame.stamp_ns, "ns"))
        self._log("image", rerun.Image(np.ascontiguousarray(result.frame.image)).compress())
        self._log("image/classes", rerun.SegmentationImage(result.semantic(), opacity=0.5))
        surface = result.drivable_mask().astype(np.uint8)
        self._log("image/drivable", rerun.SegmentationImage(surface, opacity=0.3))
        self._log("image/objects", self._boxes(result))
        if maps is not None:
            self._log("ground/grid", rerun.SegmentationImage(from_above(maps.cells)))
        for stage, taken_ms in {**result.stages_ms, "messages": message_ms}.items():
            self._log(f"times_ms/{stage}", rerun.Scalars(taken_ms))

    def close(self) -> None:
        """Write what is still in memory."""
        self._stream.flush()
        self._stream.disconnect()

    def _boxes(self, result: Result) -> Any:
        found = result.instances()
        corners = np.array([one.box for one in found], np.float32).reshape(-1, 4)
        return self._rerun.Boxes2D(
            mins=corners[:, :2],
            sizes=corners[:, 2:] - corners[:, :2],
            labels=[f"{one.name} {one.id}" for one in found],
            class_ids=[one.label for one in found],
        )

    def _log(self, name: str, what: Any, static: bool = False) -> None:
        self._stream.log(f"{self._base}/{name}".rstrip("/"), what, static=static)


def from_above(cells: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Turn a grid into an image from above, ahead is up.

    Args:
        cells: -1 unknown, 0 free, else occupied; rows to the left, columns ahead.
    """
    kinds = np.where(cells < 0, _UNKNOWN, np.where(cells == 0, _FREE, _OCCUPIED))
    return np.ascontiguousarray(kinds.T[::-1, ::-1], np.uint8)
