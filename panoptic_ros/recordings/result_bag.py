# SPDX-License-Identifier: Apache-2.0
"""Results written to a bag as the messages that the node publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.classes.remap import usual_remaps, why_no_remap
from panoptic_ros.core.closing import Closing
from panoptic_ros.core.clouds.cloud import LabelledCloud
from panoptic_ros.core.errors import ConfigError, listed
from panoptic_ros.core.files.document import nearest
from panoptic_ros.core.ground.grid import Ground
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.result import Result
from panoptic_ros.core.timing.stage_clock import StageClock
from panoptic_ros.messages.clouds.cloud_stage import CloudResult
from panoptic_ros.messages.context import CloudContext, FrameContext, LabelContext
from panoptic_ros.messages.protocols import Header
from panoptic_ros.messages.topic import CloudTopic, GroundTopic, RemappedTopic, Topic
from panoptic_ros.messages.topics import (
    build_cloud_messages,
    build_messages,
    frame_rows,
    rows_of,
)
from panoptic_ros.messages.vision import label_info, remapped_label_info
from panoptic_ros.recordings.bag_writer import BagWriter, bag_types
from panoptic_ros.recordings.source import RecordedFrame

NODE = "/panoptic"
"""Name of ``panoptic_node`` on the ROS graph; the topics lie below it."""

_USUAL = NodeConfig()
_REMAPPED = "remapped/label"
_BY_ITSELF = ("label_info", "camera_info", f"{_REMAPPED}_info")


def wanted_topics(names: Iterable[str]) -> tuple[str, ...]:
    """Leave out topics that a bag of results has by itself.

    Args:
        names: Topics below the node's name.

    Raises:
        ConfigError: No other is left, or classes of a remap are wanted without its image.
    """
    names = tuple(names)
    if f"{_REMAPPED}_info" in names and _REMAPPED not in names:
        raise ConfigError(f"topic {_REMAPPED}_info comes with {_REMAPPED}; name that one")
    wanted = tuple(name for name in names if name not in _BY_ITSELF)
    if not wanted:
        raise ConfigError(
            f"names no topic{f' but {listed(names)}' if names else ''}: label_info and, where the "
            "input has it, camera_info come by themselves; name others, such as label"
        )
    return wanted


class ResultBag(Closing):
    """Writes results as the messages that the node publishes; the owner closes it.

    Where the block that owns it fails, see ``BagWriter``.

    Args:
        place: ``.mcap`` file, or the writer of a bag that several cameras share.
        names: Topics below the node's name.
        labels: The model's classes.
        is_placed: Whether the camera's pose is known, as topics in metres need it.
        has_clouds: Whether there are point clouds.
        node: Name under which the topics lie.
        config: How the node would make the messages: remaps, encodings and the overlay.

    Raises:
        ConfigError: A name is not one of the node's topics, its message cannot be made here, or
            only what comes by itself is named.
    """

    def __init__(
        self,
        place: Path | BagWriter,
        names: Iterable[str],
        labels: LabelSet,
        is_placed: bool = False,
        has_clouds: bool = False,
        *,
        node: str = NODE,
        config: NodeConfig = _USUAL,
    ) -> None:
        self._names = wanted_topics(names)
        rows: dict[str, Topic] = {**frame_rows(), **rows_of(CloudTopic)}
        unknown = set(self._names) - set(rows)
        if unknown:
            raise ConfigError(f"no topic {listed(sorted(unknown))}{nearest(min(unknown), rows)}")
        self._labels = labels
        self._types = bag_types()
        self._config = config
        self._remaps = usual_remaps(labels, config.remap)
        self._check([rows[name] for name in self._names], is_placed, has_clouds)
        self._of_frames = [name for name in self._names if name in frame_rows()]
        self._has_info = False
        self._node = node
        self._writer = BagWriter(place) if isinstance(place, Path) else place

    def _check(self, rows: Iterable[Topic], is_placed: bool, has_clouds: bool) -> None:
        """Refuse topics that would stay empty."""
        for row in rows:
            reason = ""
            if not self._types.has(row.type):
                reason = f"bags here have no {row.type}"
            elif isinstance(row, RemappedTopic) and row.name not in self._remaps:
                reason = why_no_remap(row.name, self._labels, self._config.remap)
            elif isinstance(row, GroundTopic) and not is_placed:
                reason = f"it needs {row.needs}: set ground.camera_height_m (--params)"
            elif isinstance(row, CloudTopic) and not has_clouds:
                reason = "it needs the topic of the point clouds: --clouds"
            if reason:
                raise ConfigError(f"topic {row.name} cannot be recorded: {reason}")

    def write(
        self,
        result: Result,
        recorded: RecordedFrame,
        ground: Ground | None = None,
        cloud: LabelledCloud | None = None,
        *,
        time_ns: int | None = None,
    ) -> float:
        """Write one result.

        Args:
            result: The frame's result.
            recorded: Gives the camera's own CameraInfo.
            ground: Of the frame, None where it is not known.
            cloud: Labelled points of about the frame's time, None where there are none.
            time_ns: Of the messages in the bag; None for the stamp.

        Returns:
            Milliseconds that making the messages took.
        """
        time_ns = result.frame.stamp_ns if time_ns is None else time_ns
        context = self._context(result)
        context.camera_info, context.ground = recorded.camera_info, ground
        context.cloud = cloud
        if not self._has_info:
            self._write_label_info(context.header, time_ns)
        clock = StageClock()
        messages = build_messages((*self._of_frames, "camera_info"), context)
        clock.mark("messages")
        self._write(messages, time_ns)
        return clock.stages_ms["messages"]

    def write_cloud(self, found: CloudResult) -> None:
        """Write what is known about a point cloud."""
        context = CloudContext(found.labelled, found.boxes, self._types, found.header)
        messages = build_cloud_messages(self._names, context)
        self._write(messages, found.labelled.cloud.stamp_ns)

    def abandon(self) -> None:
        """Leave the bag as its writer does."""
        self._writer.abandon()

    def close(self) -> None:
        """Finish the bag."""
        self._writer.close()

    def _context(self, result: Result) -> FrameContext:
        return FrameContext(
            result,
            self._types,
            self._header(result),
            self._remaps,
            self._config.overlay,
            self._config.jpeg_quality,
            self._config.panoptic_encoding,
        )

    def _header(self, result: Result) -> Header:
        seconds, rest_ns = divmod(result.frame.stamp_ns, 1_000_000_000)
        stamp = self._types.make("builtin_interfaces/msg/Time", sec=seconds, nanosec=rest_ns)
        frame_id = result.frame.frame_id
        header: Header = self._types.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)
        return header

    def _write_label_info(self, header: Header, stamp_ns: int) -> None:
        context = LabelContext(self._labels, self._types, header, self._remaps)
        self._write({"label_info": label_info(context)}, stamp_ns)
        if _REMAPPED in self._names:
            self._write({f"{_REMAPPED}_info": remapped_label_info(context)}, stamp_ns)
        self._has_info = True

    def _write(self, messages: Mapping[str, Any], stamp_ns: int) -> None:
        for name, message in messages.items():
            self._writer.write(f"{self._node}/{name}", message, stamp_ns)
