# SPDX-License-Identifier: Apache-2.0
"""Read back what a node published: the result images of a bag, put together by stamp."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import DataError
from panoptic_ros.messages.convert import stamp_ns
from panoptic_ros.messages.map_image import pixels_of, png_pixels
from panoptic_ros.messages.panoptic_image import unpack
from panoptic_ros.messages.topics import TOPICS
from panoptic_ros.messages.vision import LABEL_INFO
from panoptic_ros.recordings.bag_writer import typestore
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.result_topics import COMPRESSED, nodes_with_results, result_images
from panoptic_ros.recordings.source import ReadErrors, describe
from panoptic_ros.recordings.stamp_join import StampJoin

MOST_WAITING = 32
"""Frames of which not all images are there; more are not kept, oldest first."""


@dataclass(frozen=True, eq=False)
class Published:
    """The images of one frame; what was not recorded is None.

    Attributes:
        stamp_ns: Stamp of its image.
        labels: Class index, 255 void, (H, W) uint8.
        ids: Track id, 0 for none, (H, W) uint16.
        confidence: 0..255, (H, W) uint8.
        drivable: 0 or 255, (H, W) uint8.
    """

    stamp_ns: int
    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]
    confidence: NDArray[np.uint8] | None
    drivable: NDArray[np.uint8] | None


class PublishedResults(Closing):
    """The results of one node in a bag.

    Args:
        path: ``.mcap``, ``.db3`` or the folder of a ROS 2 bag.
        node: Name of the node, e.g. ``/panoptic``; may be empty where the bag has one only.

    Attributes:
        node: The name.
        read_errors: What could not be read so far.
        names: Class name by index, as label_info says it; empty where it was not recorded.

    Raises:
        ConfigError: ``rosbags`` is not installed.
        DataError: The bag cannot be read, or has no result images of that node, or of several.
    """

    def __init__(self, path: Path, node: str = "") -> None:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        self._path = path
        self.read_errors = ReadErrors()
        self._bag = OpenBag(path, self.read_errors)
        try:
            self.node, self._topics = self._chosen(node)
            self.names = self._class_names()
        except BaseException:
            self._bag.close()
            raise

    def close(self) -> None:
        """Close the bag."""
        self._bag.close()

    @property
    def count(self) -> int:
        """Label images that the bag says to hold."""
        first = next(iter(self._topics))
        return sum(topic.count for topic in self._bag.topics() if topic.name == first)

    def frames(self) -> Iterator[Published]:
        """Yield the frames in the order of their stamps.

        A frame that lacks what may be missing is passed on in its place, once so many newer ones
        are complete that nothing of it can come any more.

        Raises:
            DataError: An image is not what the node publishes under that name.
        """
        join = StampJoin[NDArray[Any]](self._topics.values(), MOST_WAITING)
        ready: dict[int, Mapping[str, NDArray[Any]]] = {}
        for record in self._bag.records(self._topics):
            name = self._topics[record.topic]
            message = self._message(record.topic, record.type, record.data)
            if message is None:
                continue
            stamp = stamp_ns(message.header)
            parts = join.add(stamp, name, self._pixels(message, name, record.topic))
            if parts is not None:
                ready[stamp] = parts
            ready.update(join.overdue())
            yield from self._in_turn(ready, join)
        ready.update(join.rest())
        yield from self._in_turn(ready, join)

    def _pixels(self, message: Any, name: str, topic: str) -> NDArray[Any]:
        where, encodings = f"{self._path}: {topic}", TOPICS[name].encodings
        read = png_pixels if topic.endswith(COMPRESSED) else pixels_of
        return read(message, encodings, where)

    def _in_turn(
        self, ready: dict[int, Mapping[str, NDArray[Any]]], join: StampJoin[NDArray[Any]]
    ) -> Iterator[Published]:
        """Pass on what is ready and older than all that is incomplete."""
        if len(ready) > MOST_WAITING and join.oldest is not None:
            oldest = join.oldest
            ready[oldest] = join.give_up(oldest)
        for stamp in sorted(ready):
            if join.oldest is not None and stamp > join.oldest:
                return
            yield from self._frame(stamp, ready.pop(stamp))

    def _frame(self, stamp: int, parts: Mapping[str, NDArray[Any]]) -> Iterator[Published]:
        """Pass on a frame that lacks at most what may be missing."""
        if "panoptic" in parts or {"label", "instance"} <= set(parts):
            yield _published(stamp, parts)
        else:
            self.read_errors.skip(f"{self.node}: frames without label or instance image")

    def _message(self, topic: str, kind: str, data: bytes) -> Any:
        try:
            return typestore().deserialize_cdr(data, kind)
        except Exception as error:  # rosbags raises whatever its parser trips over
            self.read_errors.skip(f"{topic}: a message is damaged ({describe(error)})")
            return None

    def _chosen(self, node: str) -> tuple[str, dict[str, str]]:
        """Name of the node, and name of each of its topics that is wanted."""
        images = result_images(self._bag.topics())
        found = nodes_with_results(images)
        if node:
            found = {base: topics for base, topics in found.items() if base == _absolute(node)}
        if len(found) == 1:
            return next(iter(found.items()))
        if found:
            raise DataError(
                f"{self._path}: has results of {', '.join(sorted(found))}; choose with --node"
            )
        raise DataError(
            f"{self._path}: needs the images {node or '<node>'}/label and /instance, or "
            f"/panoptic; it has {', '.join(sorted(images)) or 'no images'}"
        )

    def _class_names(self) -> dict[int, str]:
        topic = f"{self.node}/label_info"
        for record in self._bag.records({topic}):
            message = self._message(topic, LABEL_INFO, record.data)
            if message is not None:
                return {int(one.class_id): str(one.class_name) for one in message.class_map}
        return {}


def _absolute(node: str) -> str:
    return "/" + node.strip("/") if node.strip("/") else ""


def _published(stamp: int, parts: Mapping[str, NDArray[Any]]) -> Published:
    if "panoptic" in parts:
        labels, ids = unpack(parts["panoptic"])
    else:
        labels, ids = parts["label"], parts["instance"]
    return Published(stamp, labels, ids, parts.get("confidence"), parts.get("drivable"))
