# SPDX-License-Identifier: Apache-2.0
"""The point clouds, or depth images, and the transforms in a bag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.camera_info import CAMERA_INFO, beside, for_topic
from panoptic_ros.messages.clouds.cloud_stage import SensorMessage
from panoptic_ros.messages.clouds.point_cloud import POINT_CLOUD
from panoptic_ros.messages.clouds.transform_message import TF_MESSAGE, note_transforms
from panoptic_ros.messages.convert import IMAGE
from panoptic_ros.recordings.bag_transforms import note_static
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.source import ReadErrors, describe
from panoptic_ros.recordings.storage.decode import decoded
from panoptic_ros.recordings.storage.record import Record

TF = "/tf"


class BagPoints(Closing):
    """Reads clouds and transforms in step with the images of the same bag; used by one thread.

    Args:
        path: The bag.
        topic: Of PointCloud2 or depth images.
        tree: Takes the transforms; the static ones at once.
        on_cloud: Takes the clouds.

    Attributes:
        read_errors: What could not be read so far.

    Raises:
        DataError: The topic is not in the bag, or carries other things.
    """

    def __init__(
        self,
        path: Path,
        topic: str,
        tree: TransformTree,
        on_cloud: Callable[[SensorMessage], None],
    ) -> None:
        self.read_errors = ReadErrors()
        self._bag = OpenBag(path, self.read_errors)
        self._topic, self._info_topic = topic, beside(topic)
        self._tree, self._on_cloud = tree, on_cloud
        self._info: Any = None
        try:
            self._check(path)
        except DataError:
            self._bag.close()
            raise
        note_static(self._bag, tree, self.read_errors)
        self._records = self._of_interest()
        self._next = next(self._records, None)

    def advance(self, time_ns: int) -> None:
        """Read up to a time of the bag."""
        while self._next is not None and self._next.time_ns <= time_ns:
            self._note(self._next)
            self._next = next(self._records, None)

    def close(self) -> None:
        """Close the files."""
        self._bag.close()

    def _of_interest(self) -> Iterator[Record]:
        return self._bag.records({self._topic, self._info_topic, TF})

    def _note(self, record: Record) -> None:
        try:
            message = decoded(record)
        except Exception as error:  # rosbags raises whatever its parser trips over
            self.read_errors.note(f"{record.topic}: a message is damaged ({describe(error)})")
            return
        if record.topic == self._topic:
            self._on_cloud(SensorMessage(message, self._info))
        elif record.topic == self._info_topic and record.type == CAMERA_INFO:
            self._info = for_topic(message, self._topic)
        elif record.type == TF_MESSAGE:
            note_transforms(self._tree, message, is_static=False)

    def _check(self, path: Path) -> None:
        kinds = {topic.name: topic.type for topic in self._bag.topics() if topic.count}
        kind = kinds.get(self._topic)
        if kind in (POINT_CLOUD, IMAGE):
            return
        listed = [name for name, found in sorted(kinds.items()) if found == POINT_CLOUD]
        there = f"point clouds are on: {', '.join(listed) or 'no topic'}"
        if kind is None:
            raise DataError(f"{path}: no clouds on {self._topic}; {there}")
        raise DataError(
            f"{path}: {self._topic} carries {kind}, needs PointCloud2 or depth images; {there}"
        )
