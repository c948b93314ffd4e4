# SPDX-License-Identifier: Apache-2.0
"""The frames of one bag on their way into its results, and what is said about them at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import FrameError, LateFrameError
from panoptic_ros.core.result import Result
from panoptic_ros.fleet.bag_report import FAILED, OK, PARTIAL, BagReport
from panoptic_ros.fleet.failure import check_limit
from panoptic_ros.fleet.figures import CameraFigures
from panoptic_ros.fleet.opened import OpenedBag, by_time
from panoptic_ros.fleet.page import BagPage
from panoptic_ros.fleet.sink import Sink
from panoptic_ros.recordings.source import RecordedFrame, Source

Step = Callable[[int, RecordedFrame], Result]
"""Gives the result of the next frame of a camera, which has a number."""


class BagRun:
    """Puts the results of one bag into its sink, in the order of time; used by one thread.

    Args:
        bag: The bag.
        sources: Its cameras.
        sink: Where results go; not closed here.
        labels: The model's classes.
        page: About the bag, None for no page.
    """

    def __init__(
        self,
        bag: OpenedBag,
        sources: Sequence[Source],
        sink: Sink,
        labels: LabelSet,
        page: BagPage | None,
    ) -> None:
        self._bag, self._sources, self._sink, self._page = bag, sources, sink, page
        self._figures = [CameraFigures(labels) for _ in sources]
        self._skipped: Counter[str] = Counter()

    def run(self, step: Step, limit_s: float | None) -> None:
        """Put all frames in.

        Args:
            step: Gives their results.
            limit_s: Seconds that it may take, None for any time.

        Raises:
            LimitError: It took longer.
            OSError: A request to the object store failed.
        """
        started = time.monotonic()
        for camera, recorded in by_time(self._sources):
            check_limit(started, limit_s)
            try:
                result = step(camera, recorded)
            except LateFrameError:
                self._skipped["came after a newer one"] += 1
                continue
            except FrameError as error:
                self._sources[camera].read_errors.skip(f"image {recorded.name}: {error}")
                continue
            self._sink.write(camera, result, recorded)
            self._figures[camera].add(result)
            if self._page is not None:
                self._page.add(result)
        self._sink.finish()
        if self._bag.failure:
            raise OSError(self._bag.failure)

    def summed(self, report: BagReport) -> BagReport:
        """Say what was labelled and what could not be.

        Args:
            report: What is known about the bag.
        """
        sources, skipped = self._sources, Counter(self._skipped)
        notes = [*self._bag.read_errors.notes, *self._sink.notes]
        for source in sources:
            if source.read_errors.skipped:
                skipped["could not be read"] += source.read_errors.skipped
            notes += [note for note in source.read_errors.notes if note not in notes]
        frames = sum(figures.frames for figures in self._figures)
        if not frames:
            why = notes[0] if notes else "all frames came after newer ones"
            return replace(
                report, status=FAILED, error=f"no image can be read: {why}", skipped=dict(skipped)
            )
        is_damaged = any(map(bool, (self._bag.read_errors, *(s.read_errors for s in sources))))
        cameras: dict[str, dict[str, Any]] = {
            source.topic: figures.to_json()
            for source, figures in zip(sources, self._figures, strict=True)
        }
        return replace(
            report,
            status=PARTIAL if is_damaged else OK,
            frames=frames,
            skipped=dict(skipped),
            notes=tuple(notes),
            recorded_s=round(sum(figures.recorded_s for figures in self._figures), 3),
            cameras=cameras,
        )

    def write_page(self, path: Path, report: BagReport) -> None:
        """Write the page about the bag, if there is to be one."""
        if self._page is not None:
            self._page.write(path, report)
