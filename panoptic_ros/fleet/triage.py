# SPDX-License-Identifier: Apache-2.0
"""Frames that somebody should look at: their images, and those in which two models differ."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.output import write_image
from panoptic_ros.evaluation.bag_predictor import class_names
from panoptic_ros.evaluation.difference import Difference, SideFrame, paired
from panoptic_ros.fleet import remote
from panoptic_ros.fleet.bag_report import BagReport
from panoptic_ros.fleet.figures import MOST_HARD
from panoptic_ros.fleet.folder import FleetFolder
from panoptic_ros.fleet.opened import OpenedBag
from panoptic_ros.fleet.sink import nodes_of
from panoptic_ros.fleet.summary import FleetSummary, HardFrame, image_name
from panoptic_ros.recordings.published import PublishedResults

JPEG_QUALITY = 92
_LABELS = ".labels.mcap"


def write_images(folder: Path, frames: Sequence[HardFrame], scratch_bytes: int) -> list[str]:
    """Write the images of frames as JPEG, named as in the list of tasks.

    Args:
        folder: Where to; made where absent.
        frames: The frames.
        scratch_bytes: Bytes that the copy of one bag may take.

    Returns:
        What could not be read, one sentence each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_bag: dict[str, list[HardFrame]] = defaultdict(list)
    for frame in frames:
        by_bag[frame.uri].append(frame)
    problems = []
    for uri, wanted in by_bag.items():
        problem = _problem(folder, uri, wanted, scratch_bytes)
        problems += [problem] if problem else []
    return problems


def _problem(folder: Path, uri: str, wanted: Sequence[HardFrame], scratch_bytes: int) -> str:
    """Write the images of one bag; says what went wrong."""
    try:
        _write_bag(folder, uri, wanted, scratch_bytes)
    except Exception as error:  # of any library below; other bags have images, too
        return f"{uri}: {error}"
    return ""


def _write_bag(folder: Path, uri: str, wanted: Sequence[HardFrame], scratch_bytes: int) -> None:
    topics = sorted({frame.topic for frame in wanted} - {""})
    with (
        tempfile.TemporaryDirectory(prefix="panoptic-") as scratch,
        OpenedBag(uri, Path(scratch), scratch_bytes) as bag,
    ):
        for source in bag.sources(topics):
            left = {f.stamp_ns: f for f in wanted if f.topic == source.topic}
            for recorded in source.frames():
                frame = left.pop(recorded.frame.stamp_ns, None)
                if frame is not None:
                    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
                    bgr = recorded.frame.image[..., ::-1]
                    write_image(folder / image_name(frame), bgr, quality)
                if not left:
                    break


def add_disagreement(
    summary: FleetSummary, report: BagReport, ours: FleetFolder, theirs: FleetFolder
) -> bool:
    """Compare the labels of a bag in two folders, and offer the frames that differ most.

    Args:
        summary: Takes the frames.
        report: The bag in our folder.
        ours: The folder.
        theirs: Results of another model for the same bags.

    Returns:
        Whether both folders have labels of the bag.

    Raises:
        DataError: A bag of labels cannot be read.
    """
    names = [output.name for output in report.outputs if output.name.endswith(_LABELS)]
    other = theirs.report(report.id)
    if not names or other is None or names[0] not in {output.name for output in other.outputs}:
        return False
    topics = list(report.cameras)
    for topic, node in zip(topics, nodes_of(topics), strict=True):
        a, b = (_labels(folder, f"{report.id}/{names[0]}") for folder in (ours, theirs))
        difference = _difference(a, b, node)
        ranked = sorted(difference.frames, key=lambda frame: -frame.pixels)
        for frame in ranked[:MOST_HARD]:
            value = round(frame.pixels, 5)
            summary.add_hard("disagreement", value, report, topic, frame.stamp_ns)
    return True


def _labels(folder: FleetFolder, name: str) -> Path:
    path = folder.path(name)
    if remote.is_remote(path):
        raise DataError("folders in an object store are not compared; copy them first")
    return remote.local_path(path)


def _difference(a: Path, b: Path, node: str) -> Difference:
    with PublishedResults(a, node) as left, PublishedResults(b, node) as right:
        difference = Difference(class_names(left, None))
        for one, other in paired(_frames(left), _frames(right), difference):
            difference.update(one, other)
    return difference


def _frames(results: PublishedResults) -> Iterator[SideFrame]:
    for found in results.frames():
        yield SideFrame(found.stamp_ns, found.labels, found.ids, found.drivable)
