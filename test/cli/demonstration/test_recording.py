# SPDX-License-Identifier: Apache-2.0
"""What was recorded in metres comes back by stamp."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.demo import _count_losses
from panoptic_ros.cli.demonstration.recording import IN_METRES, Recording, recorder_command
from panoptic_ros.messages.topics import TOPICS
from panoptic_ros.report.record import RunRecord
from test.drawn.drawings import LABELS


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


class Counted(Recording):
    """A recording of which the node's last counts are known."""

    def __init__(self, **counts: int) -> None:
        super().__init__(Path("result.mcap"))
        pairs = [SimpleNamespace(key=name, value=str(count)) for name, count in counts.items()]
        self._statuses = [SimpleNamespace(name="panoptic: camera", values=pairs)] if pairs else []


@pytest.mark.parametrize(
    ("counts", "losses"),
    [
        ({}, {}),
        (
            {"received": 17, "published": 12, "dropped_busy": 3, "late": 1, "dropped_unusable": 1},
            {"to_node": 3, "busy": 3, "unusable": 1, "late": 1, "left_out": 0, "from_node": 2},
        ),
        # Counted before the last results were published.
        (
            {"received": 9, "published": 8, "dropped_busy": 1},
            {"to_node": 9, "busy": 1, "unusable": 0, "late": 0, "left_out": 0, "from_node": 0},
        ),
    ],
    ids=["unknown", "all", "old"],
)
def test_losses_are_told_by_stage_and_add_up(
    counts: dict[str, int], losses: dict[str, int]
) -> None:
    found = Counted(**counts).losses(sent=20, recorded=10)
    assert found == losses
    assert not found or sum(found.values()) == 20 - 10


def test_the_pages_show_losses_by_camera_and_stage(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    from panoptic_ros.report.overview import write_overview
    from panoptic_ros.report.page import render

    record = RunRecord("demo", "a.mp4", "drawn", LABELS, "latency", frames_in=20)
    losses = {"to_node": 31, "busy": 32, "from_node": 33, "unusable": 4, "late": 5, "left_out": 6}
    _count_losses(record, losses)
    assert record.stats()["frames"]["dropped_at"] == {"to_node": 31, "busy": 32, "from_node": 33}
    assert (record.skipped, record.late, record.left_out, record.dropped) == (4, 5, 6, 5)
    page = render(record, [])
    write_overview(tmp_path / "report.html", {"left": (record, []), "right": (record, [])}, "two")
    overview = (tmp_path / "report.html").read_text(encoding="utf-8")
    told = {"to the node": 31, "a newer one was waiting": 32, "from the node": 33}
    for words, count in told.items():
        assert re.search(rf"{words}</td><td>{count}<", page)
        assert words in overview
        assert overview.count(f"<td>{count}</td>") == 2


def test_metres_are_recorded_of_placed_cameras_only() -> None:
    kinds = {name: TOPICS[name].type for name in IN_METRES}
    words = recorder_command(Path("x.mcap"), ["/panoptic/a", "/panoptic/b"], ["/panoptic/b"])
    in_metres = [word for word in words if word.partition("=")[2] in kinds.values()]
    assert in_metres == [f"/panoptic/b/{name}={kind}" for name, kind in kinds.items()]
