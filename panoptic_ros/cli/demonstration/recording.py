# SPDX-License-Identifier: Apache-2.0
"""Record the node's topics in a process of its own, and read the recording back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import counted
from panoptic_ros.messages.convert import stamp_ns
from panoptic_ros.messages.map_image import pixels_of
from panoptic_ros.messages.topics import TOPICS
from panoptic_ros.recordings.bag_writer import typestore
from panoptic_ros.recordings.result_bag import NODE
from panoptic_ros.recordings.stamp_join import StampJoin
from panoptic_ros.report.bird_view import GroundMaps

STEP_PX = 2
"""Film and report are made from every n-th row and column of the maps."""

RECORDED = ("label", "instance", "confidence", "drivable", "detections", "label_info")
"""Of every camera. ``panoptic`` repeats label and instance, and the film is drawn afterwards; what
nobody listens to costs the node nothing."""

IN_METRES = ("drivable_grid", "drivable_boundary")
"""Of cameras whose place is known."""

DIAGNOSTICS = "/diagnostics"

MAPS = ("label", "instance", "drivable")
"""What film and report are made from."""


def recorder_command(
    path: Path, results: Sequence[str] = (NODE,), in_metres: Sequence[str] = ()
) -> list[str]:
    """Command line of the recording process.

    Args:
        path: The bag.
        results: Below which topic the node publishes, for every camera.
        in_metres: Those of them whose camera has a known place.
    """
    topics = [f"{base}/{name}={TOPICS[name].type}" for base in results for name in RECORDED]
    topics += [f"{base}/{name}={TOPICS[name].type}" for base in in_metres for name in IN_METRES]
    topics.append(f"{DIAGNOSTICS}=diagnostic_msgs/msg/DiagnosticArray")
    return [
        sys.executable,
        "-m",
        "panoptic_ros.ros.playback.recorder",
        "--out",
        str(path),
        *topics,
    ]


_LOSSES = ("dropped_busy", "dropped_unusable", "dropped_before_key_frame", "late", "left_out")
"""What the node counts of images that get no result."""


@dataclass(frozen=True, eq=False)
class RecordedMaps:
    """What was recorded of one frame; ``arrived_ns`` is when its label image came."""

    stamp_ns: int
    arrived_ns: int
    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]
    drivable: NDArray[np.uint8]


class Recording:
    """A bag of the node's topics, of which one camera's are read.

    Args:
        path: ``.mcap`` file.
        results: Below which topic that camera's lie.
    """

    def __init__(self, path: Path, results: str = NODE) -> None:
        self._path = path
        self._results = results
        self._statuses: list[Any] = []

    def frames(self) -> Iterator[RecordedMaps]:
        """Yield the frames of which label, instance and drivable image were recorded."""
        join = StampJoin[NDArray[Any]](MAPS)
        arrivals_ns: dict[int, int] = {}
        for topic, arrived_ns, message in self._messages((*MAPS, DIAGNOSTICS)):
            if topic == DIAGNOSTICS:
                self._statuses = message.status
                continue
            name, stamp = topic.removeprefix(f"{self._results}/"), stamp_ns(message.header)
            if name == "label":
                arrivals_ns[stamp] = arrived_ns
            maps = join.add(stamp, name, self._small(message, name))
            if maps is not None:
                yield RecordedMaps(stamp, arrivals_ns.pop(stamp), *(maps[one] for one in MAPS))

    def ground(self) -> dict[int, GroundMaps]:
        """What was published in metres, by stamp; frames that lack a part are left out."""
        join = StampJoin[Any](IN_METRES)
        maps: dict[int, GroundMaps] = {}
        for topic, _, message in self._messages(IN_METRES):
            stamp, name = stamp_ns(message.header), topic.removeprefix(f"{self._results}/")
            found = join.add(stamp, name, message)
            if found is not None:
                maps[stamp] = _ground_maps(*(found[one] for one in IN_METRES))
        return maps

    def stages_ms(self) -> dict[str, dict[str, float]]:
        """The node's own medians by stage, after ``frames`` has run through."""
        values = self._camera_values()
        stages = {
            key.removesuffix("_ms"): float(value)
            for key, value in values.items()
            if key.endswith("_ms") and not key.startswith(("latency_", "age_"))
        }
        return {name: {"p50": value} for name, value in stages.items()}

    def remarks(self) -> list[str]:
        """What the node counted, after ``frames`` has run through."""
        values = self._camera_values()
        if not values:
            return []
        received = counted(int(values["received"]), "image")
        published = counted(int(values["published"]), "result")
        return [
            f"The node received {received}, dropped {values['dropped_busy']} because a newer one "
            f"was waiting, {values['dropped_unusable']} because they could not be used and "
            f"{values.get('late', '0')} because they came late, and published {published}."
        ]

    def losses(self, sent: int, recorded: int) -> dict[str, int]:
        """Say where images were lost, after ``frames`` has run through; their sum is the loss.

        Args:
            sent: Images that were played.
            recorded: Those of which a result was recorded.

        Returns:
            By stage: ``to_node``, ``busy``, ``from_node``, ``unusable``, ``late``, ``left_out``;
            empty where the node's counts were not recorded.
        """
        values = self._camera_values()
        if not values:
            return {}
        told = {name: int(values.get(name, 0)) for name in _LOSSES}
        losses = {
            "busy": told["dropped_busy"],
            "unusable": told["dropped_unusable"] + told["dropped_before_key_frame"],
            "late": told["late"],
            "left_out": told["left_out"],
        }
        # The last counts may be older than the last result, so the way to the node is the rest.
        on_the_way = max(0, sent - recorded - sum(losses.values()))
        from_node = min(on_the_way, max(0, int(values["published"]) - recorded))
        return {"to_node": on_the_way - from_node, **losses, "from_node": from_node}

    def _camera_values(self) -> dict[str, str]:
        camera = self._results.removeprefix(NODE).strip("/")
        for status in self._statuses:
            values = {pair.key: pair.value for pair in status.values}
            if "received" in values and camera in ("", status.name.rpartition(": ")[2]):
                return values
        return {}

    def _small(self, message: Any, name: str) -> NDArray[Any]:
        values = pixels_of(message, TOPICS[name].encodings, f"{self._path}: {name}")
        return np.ascontiguousarray(values[::STEP_PX, ::STEP_PX])

    def _messages(self, names: Iterable[str]) -> Iterator[tuple[str, int, Any]]:
        from rosbags.rosbag2 import Reader

        wanted = {name if name[0] == "/" else f"{self._results}/{name}" for name in names}
        with Reader(self._path) as reader:
            connections = [entry for entry in reader.connections if entry.topic in wanted]
            if not connections:
                return
            for entry, time_ns, data in reader.messages(connections):
                yield entry.topic, time_ns, typestore().deserialize_cdr(data, entry.msgtype)


def _ground_maps(grid: Any, boundary: Any) -> GroundMaps:
    cells = np.asarray(grid.data, np.int8).reshape(grid.info.height, grid.info.width)
    outline = [(point.x, point.y) for point in boundary.polygon.points]
    return GroundMaps(cells, np.array(outline, np.float64).reshape(-1, 2))
