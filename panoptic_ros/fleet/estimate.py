# SPDX-License-Identifier: Apache-2.0
"""What labelling bags would take, before it is done: their frames, their hours, the time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.types import Frame
from panoptic_ros.fleet.addresses import bag_id
from panoptic_ros.fleet.failure import words
from panoptic_ros.fleet.folder import FleetFolder
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.opened import NoImagesError, OpenedBag, fingerprint

SIZE = (720, 1280)
_MEASURED = 5


@dataclass(frozen=True)
class Estimate:
    """What there is to do.

    Attributes:
        bags: Bags that would be labelled.
        done: Bags that need not be.
        frames: Frames of them.
        hours: Recorded hours of those bags that say so in their index.
        frame_s: Seconds that one frame takes one worker.
        unreadable: Why a bag would fail, by its address.
    """

    bags: int
    done: int
    frames: int
    hours: float
    frame_s: float
    unreadable: dict[str, str]

    def seconds(self, workers: int) -> float:
        """How long so many workers would take."""
        return self.frames * self.frame_s / workers


def estimate(uris: Iterable[str], out: str, job: Job) -> Estimate:
    """Look into every bag's index; no image is decoded.

    Args:
        uris: Addresses.
        out: Folder of the fleet's results.
        job: What would be done.

    Raises:
        ModelError: The engine cannot be opened.
    """
    folder = FleetFolder(out, job.scratch)
    bags = done = frames = 0
    hours = 0.0
    unreadable: dict[str, str] = {}
    for uri in uris:
        try:
            before = folder.report(bag_id(uri))
            if before is not None and before.key == job.key(uri, fingerprint(uri)):
                done += 1
                continue
            count, seconds = _size_of(uri, job)
        except NoImagesError as error:
            unreadable[uri] = str(error)
            continue
        except Exception as error:  # of any library below
            unreadable[uri] = words(error)
            continue
        bags, frames, hours = bags + 1, frames + count, hours + seconds / 3600
    return Estimate(bags, done, frames, hours, _frame_s(job), unreadable)


def _size_of(uri: str, job: Job) -> tuple[int, float]:
    """Frames of a bag, and seconds of all of its cameras."""
    with (
        tempfile.TemporaryDirectory(prefix="panoptic-") as scratch,
        OpenedBag(uri, Path(scratch), job.scratch_bytes) as bag,
    ):
        sources = bag.sources(job.image_topics)
        span_s = 0.0
        if bag.span_ns is not None:
            span_s = (bag.span_ns[1] - bag.span_ns[0]) / 1e9
        return sum(source.count or 0 for source in sources), span_s * len(sources)


def _frame_s(job: Job) -> float:
    """Measure what one frame takes: engine and pipeline over grey images."""
    from panoptic_ros.engine.open import open_engine

    engine = open_engine(job.engine, job.threads)
    try:
        pipeline = Pipeline(engine, job.config.pipeline)
        state = pipeline.new_state()
        image = np.full((*SIZE, 3), 128, np.uint8)
        times = []
        for number in range(_MEASURED):
            started = time.monotonic()
            pipeline.step(Frame(image, (number + 1) * 100_000_000, "camera"), state)
            times.append(time.monotonic() - started)
        return float(np.median(times))
    finally:
        engine.close()
