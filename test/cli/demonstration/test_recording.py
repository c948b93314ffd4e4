# SPDX-License-Identifier: Apache-2.0
"""What was recorded in metres comes back by stamp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.demonstration.recording import IN_METRES, Recording, recorder_command
from panoptic_ros.messages.topics import TOPICS


def header(types: Any, second: int) -> Any:
    stamp = types.make("builtin_interfaces/msg/Time", sec=second, nanosec=0)
    return types.make("std_msgs/msg/Header", stamp=stamp, frame_id="base_link")


def grid(types: Any, second: int, cells: np.ndarray) -> Any:
    head = header(types, second)
    zero = {"x": 0.0, "y": 0.0, "z": 0.0}
    pose = types.make(
        "geometry_msgs/msg/Pose",
        position=types.make("geometry_msgs/msg/Point", **zero),
        orientation=types.make("geometry_msgs/msg/Quaternion", **zero, w=1.0),
    )
    height, width = cells.shape
    info = types.make(
        "nav_msgs/msg/MapMetaData",
        map_load_time=head.stamp,
        resolution=0.5,
        width=width,
        height=height,
        origin=pose,
    )
    return types.make("nav_msgs/msg/OccupancyGrid", header=head, info=info, data=cells.ravel())


def outline(types: Any, second: int, *corners: tuple[float, float]) -> Any:
    points = [types.make("geometry_msgs/msg/Point32", x=x, y=y, z=0.0) for x, y in corners]
    polygon = types.make("geometry_msgs/msg/Polygon", points=points)
    kind = "geometry_msgs/msg/PolygonStamped"
    return types.make(kind, header=header(types, second), polygon=polygon)


def test_ground_comes_back_where_all_of_it_was_recorded(tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    from panoptic_ros.recordings.bag_writer import BagWriter, bag_types

    types = bag_types()
    cells = np.array([[0, 100, -1], [50, 0, 0]], np.int8)
    with BagWriter(tmp_path / "result.mcap") as bag:
        for second in (1, 2):
            bag.write("/panoptic/drivable_grid", grid(types, second, cells), second * 10**9)
        corners = outline(types, 2, (1.0, 2.0), (3.0, -4.0))
        bag.write("/panoptic/drivable_boundary", corners, 2 * 10**9)
    found = Recording(tmp_path / "result.mcap").ground()
    assert list(found) == [2 * 10**9]
    recorded = found[2 * 10**9]
    np.testing.assert_array_equal(recorded.cells, cells)
    assert recorded.outline_m.tolist() == [[1.0, 2.0], [3.0, -4.0]]


def test_metres_are_recorded_of_placed_cameras_only() -> None:
    kinds = {name: TOPICS[name].type for name in IN_METRES}
    words = recorder_command(Path("x.mcap"), ["/panoptic/a", "/panoptic/b"], ["/panoptic/b"])
    in_metres = [word for word in words if word.partition("=")[2] in kinds.values()]
    assert in_metres == [f"/panoptic/b/{name}={kind}" for name, kind in kinds.items()]
