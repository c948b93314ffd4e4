# SPDX-License-Identifier: Apache-2.0
"""The point clouds of a recording, labelled as the node does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import counted
from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.clouds.cloud_stage import CloudResult, CloudSettings, CloudStage
from panoptic_ros.messages.clouds.cloud_statistics import COUNTS, CloudStatistics
from panoptic_ros.recordings.bag_points import BagPoints

if TYPE_CHECKING:
    from panoptic_ros.core.clouds.cloud import LabelledCloud
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import RecordedFrame

AHEAD_NS = 100_000_000
"""Clouds and transforms are read so far ahead of the images, as they are recorded later."""


class ReplayClouds(Closing):
    """Labels the clouds beside the images of a bag; used by one thread.

    Args:
        path: The bag.
        topic: Of its clouds or depth images.
        settings: Limits, and what is said about the camera.

    Attributes:
        settings: As given.

    Raises:
        DataError: The topic is not in the bag, or carries other things.
    """

    def __init__(self, path: Path, topic: str, settings: CloudSettings) -> None:
        tree, self._statistics = TransformTree(), CloudStatistics()
        self._stage = CloudStage(tree, self._statistics)
        self._points = BagPoints(path, topic, tree, self._stage.put)
        self.settings = settings
        self._recorded: RecordedFrame | None = None
        self._newest: LabelledCloud | None = None

    def take(self, result: Result, recorded: RecordedFrame) -> list[CloudResult]:
        """Label the clouds up to the time of a result."""
        self._recorded = recorded
        self._points.advance(recorded.time_ns + AHEAD_NS)
        found = self._stage.take(result, recorded.camera_info, self.settings)
        if found:
            self._newest = found[-1].labelled
        return found

    def near(self, result: Result) -> LabelledCloud | None:
        """Give a labelled cloud of about a result's time."""
        if self._newest is None:
            return None
        offset_ns = abs(self._newest.cloud.stamp_ns - result.frame.stamp_ns)
        return self._newest if offset_ns <= self.settings.points.max_offset_s * 1e9 else None

    def finish(self) -> list[CloudResult]:
        """Label what lies behind the last image, as far as it is near enough."""
        info = self._recorded.camera_info if self._recorded else None
        return self._stage.finish(info, self.settings)

    def close(self) -> None:
        """Close the bag."""
        self._points.close()

    def warnings(self) -> list[str]:
        """Say what was lost, a line for each cause, and what the last loss was."""
        totals = self._statistics.totals()
        lost = [
            f"{counted(number, 'cloud')} dropped: {COUNTS[name]}"
            for name, number in totals.items()
            if number and name.startswith("dropped")
        ]
        if lost and self._statistics.problem:
            lost[-1] += f" (last: {self._statistics.problem})"
        if totals["points_not_a_number"]:
            lost.append(f"{totals['points_not_a_number']} points of clouds are not a number")
        return [*self._points.read_errors.warnings, *lost]

    @property
    def labelled(self) -> int:
        """Clouds that were labelled."""
        return self._statistics.totals()["labelled"]
