# SPDX-License-Identifier: Apache-2.0
"""Label one part of a long bag into files that wait for the other parts."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.fleet.failure import check_limit, seconds_since
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.opened import OpenedBag, by_time
from panoptic_ros.fleet.parts.cut import Part
from panoptic_ros.fleet.parts.entries import EntryWriter
from panoptic_ros.fleet.parts.part_files import PartFiles, before_file, own_file


def label_part(
    bag: OpenedBag, part: Part, pipeline: Pipeline, job: Job, files: PartFiles, scratch: Path
) -> None:
    """Label a part; what cannot be read is not noted here, as the bag is read once more.

    Args:
        bag: The bag.
        part: Which part.
        pipeline: Of the job.
        job: What to do.
        files: Where the results go.
        scratch: An empty folder.

    Raises:
        LimitError: It took too long.
        OSError: A request to the object store failed.
    """
    started = time.monotonic()
    folder = scratch / "part"
    folder.mkdir()
    with ExitStack() as stack:
        sources = bag.sources(job.image_topics, part.span)
        cameras = [job.config.recorded_camera(source.topic) for source in sources]
        states = [pipeline.new_state(camera) for camera in cameras]
        writers = [
            tuple(
                stack.enter_context(EntryWriter(folder / name(part.number, camera)))
                for name in (before_file, own_file)
            )
            for camera in range(len(sources))
        ]
        for camera, recorded in by_time(sources):
            check_limit(started, job.limit_s)
            writer = writers[camera][recorded.time_ns >= part.start_ns]
            try:
                writer.result(recorded, pipeline.step(recorded.frame, states[camera]))
            except FrameError as error:
                writer.none(recorded, error)
    if bag.failure:
        raise OSError(bag.failure)
    written = {path.name: path for path in sorted(folder.iterdir())}
    files.publish(part.number, written, seconds_since(started))
