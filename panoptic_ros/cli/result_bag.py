# SPDX-License-Identifier: Apache-2.0
"""Results written to a bag as the messages that the node publishes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.core.errors import ConfigError

if TYPE_CHECKING:
    from panoptic_ros.core.labels import LabelSet
    from panoptic_ros.core.result import Result
    from panoptic_ros.recordings.source import RecordedFrame

NODE = "/panoptic"
"""Name of ``panoptic_node`` on the ROS graph; the topics lie below it."""


class ResultBag:
    """Writes results as the messages that the node publishes; the owner closes it.

    Args:
        path: ``.mcap`` file.
        names: Topics below the node's name.
        labels: The model's classes.

    Raises:
        ConfigError: A name is not one of the node's topics, or its message cannot be made here.
    """

    def __init__(self, path: Path, names: Iterable[str], labels: LabelSet) -> None:
        from panoptic_ros.core.remap import usual_remaps
        from panoptic_ros.messages.convert import RESULT_TOPICS
        from panoptic_ros.recordings.bag_writer import BagWriter, bag_types

        self._names = tuple(names)
        unknown = set(self._names) - set(RESULT_TOPICS)
        if unknown:
            raise ConfigError(f"no topic {sorted(unknown)}; there are: {', '.join(RESULT_TOPICS)}")
        self._labels = labels
        self._types = bag_types()
        self._remaps = usual_remaps(labels)
        self._check_consumers()
        self._has_info = False
        self._writer = BagWriter(path)

    def _check_consumers(self) -> None:
        """Refuse topics that would stay empty."""
        from panoptic_ros.core.remap import REMAPPED_TOPICS
        from panoptic_ros.messages.convert import IMAGE, MESSAGE_TYPES

        for name in self._names:
            kind = MESSAGE_TYPES.get(name, IMAGE)
            if not self._types.has(kind):
                raise ConfigError(f"topic {name} cannot be recorded: bags here have no {kind}")
            if name in REMAPPED_TOPICS and name not in self._remaps:
                raise ConfigError(
                    f"topic {name} cannot be recorded: config/remap says nothing about label set "
                    f"{self._labels.name!r}"
                )

    def write(self, result: Result, recorded: RecordedFrame) -> float:
        """Write one result; returns the milliseconds that making the messages took."""
        from panoptic_ros.messages.convert import from_result

        stamp_ns = result.frame.stamp_ns
        header = self._header(result)
        if not self._has_info:
            self._write_info(header, stamp_ns)
        start = time.perf_counter()
        messages = from_result(
            result, self._labels, self._names, self._types, header, remaps=self._remaps
        )
        taken_ms = (time.perf_counter() - start) * 1e3
        for name, message in messages.items():
            self._writer.write(f"{NODE}/{name}", message, stamp_ns)
        if recorded.camera_info is not None:
            self._write_camera_info(recorded.camera_info, result, header)
        return taken_ms

    def close(self) -> None:
        """Finish the bag."""
        self._writer.close()

    def _header(self, result: Result) -> Any:
        seconds, rest_ns = divmod(result.frame.stamp_ns, 1_000_000_000)
        stamp = self._types.make("builtin_interfaces/msg/Time", sec=seconds, nanosec=rest_ns)
        return self._types.make("std_msgs/msg/Header", stamp=stamp, frame_id=result.frame.frame_id)

    def _write_info(self, header: Any, stamp_ns: int) -> None:
        from panoptic_ros.messages.vision import label_info

        message = label_info(self._labels, self._types, header)
        self._writer.write(f"{NODE}/label_info", message, stamp_ns)
        self._has_info = True

    def _write_camera_info(self, info: Any, result: Result, header: Any) -> None:
        from panoptic_ros.messages.camera_info import recast

        if (int(info.height), int(info.width)) == result.camera_size:
            message = recast(info, self._types, header)
            self._writer.write(f"{NODE}/camera_info", message, result.frame.stamp_ns)
