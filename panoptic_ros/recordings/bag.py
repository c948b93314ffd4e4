# SPDX-License-Identifier: Apache-2.0
"""Read camera images out of ROS 2 and ROS 1 bags without ROS, through ``rosbags``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import DataError, FrameError
from panoptic_ros.messages.convert import to_frame
from panoptic_ros.recordings.bag_part import Record
from panoptic_ros.recordings.open_bag import OpenBag, describe
from panoptic_ros.recordings.source import RecordedFrame, Source, TimeRange

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
INFO_TYPE = "sensor_msgs/msg/CameraInfo"


class BagSource(Source):
    """The images of one image topic.

    What a bag's index cannot give any more (the recording was killed, the disk was full) is
    recovered record by record, and the damage is noted in ``losses``.

    Args:
        path: ``.mcap``, ``.db3``, ``.bag``, or the folder of a ROS 2 bag.
        topic: Image topic; may be empty where only one has images.
        span: Which part is wanted.

    Raises:
        ConfigError: ``rosbags`` is not installed, or the topic must be chosen.
        DataError: Nothing can be read, or the topic is not in the bag.
    """

    def __init__(self, path: Path, topic: str, span: TimeRange) -> None:
        super().__init__(path, span)
        self._bag = OpenBag(path, self.losses)
        try:
            counts = self._image_topics()
            self.topic = _chosen(path, topic, counts)
        except BaseException:
            self._bag.close()
            raise
        self._info_topic = self._paired_info()
        self.count = counts[self.topic] if span.is_all else None

    def close(self) -> None:
        """Close the files."""
        self._bag.close()

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images that can be read; the others are counted in ``losses``."""
        first = self._first(self.topic)
        if first is None:
            raise DataError(f"{self.path}: no image of {self.topic} can be read")
        start_ns, end_ns = self.span.limits_ns(first.time_ns)
        info = self._first_info()
        wanted = {self.topic, self._info_topic} - {""}
        number = 0
        for record in self._bag.records(wanted, start_ns, end_ns):
            message = self._message(record)
            if record.topic == self._info_topic:
                info = message or info
            elif message is not None:
                recorded = self._shot(message, record, number, info)
                number += 1
                if recorded is not None:
                    yield recorded

    def _shot(self, message: Any, record: Record, number: int, info: Any) -> RecordedFrame | None:
        try:
            frame = to_frame(message)
        except FrameError as error:
            self.losses.skip(f"{self.topic}: {error}")
            return None
        if frame.stamp_ns == 0:
            self.losses.note(f"{self.topic}: images without stamp got the time of the bag")
            frame = replace(frame, stamp_ns=record.time_ns)
        return RecordedFrame(frame, record.time_ns, f"{number:06d}", info)

    def _message(self, record: Record) -> Any:
        store = _typestore(record.is_ros1)
        try:
            if record.is_ros1:
                return store.deserialize_ros1(record.data, record.type)
            return store.deserialize_cdr(record.data, record.type)
        except Exception as error:  # rosbags raises whatever its parser trips over
            self.losses.skip(f"{record.topic}: a message is damaged ({describe(error)})")
            return None

    def _first(self, topic: str) -> Record | None:
        return next(self._bag.records({topic}), None)

    def _first_info(self) -> Any:
        record = self._first(self._info_topic) if self._info_topic else None
        return None if record is None else self._message(record)

    def _image_topics(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for topic in self._bag.topics():
            if topic.type in IMAGE_TYPES and topic.count:
                counts[topic.name] = counts.get(topic.name, 0) + topic.count
        return counts

    def _paired_info(self) -> str:
        """CameraInfo topic beside the image topic, as image_transport names it."""
        base = self.topic.rpartition("/")[0]
        names = {topic.name for topic in self._bag.topics() if topic.type == INFO_TYPE}
        candidates = [f"{base}/camera_info", f"{base.rpartition('/')[0]}/camera_info"]
        return next((name for name in candidates if name in names), "")


def _chosen(path: Path, topic: str, counts: dict[str, int]) -> str:
    listing = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
    if topic:
        if topic not in counts:
            raise DataError(f"{path}: no images on {topic}; there are: {listing or 'none'}")
        return topic
    if not counts:
        raise DataError(f"{path}: has no image topic; needs {' or '.join(IMAGE_TYPES)}")
    if len(counts) > 1:
        raise DataError(f"{path}: has several image topics, choose with --topic: {listing}")
    return next(iter(counts))


@cache
def _typestore(is_ros1: bool) -> Any:
    from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS1_NOETIC if is_ros1 else Stores.ROS2_JAZZY)
