# SPDX-License-Identifier: Apache-2.0
"""The node's topics in metres: what they hold, and why they are silent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from panoptic_ros.messages.camera_info import CAMERA_INFO
from panoptic_ros.messages.topic import GroundTopic
from panoptic_ros.messages.topics import rows_of
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, words
from test.drawn.graph import TYPES, Bench
from test.drawn.street_scene import CAMERA_SIZE

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
MakeNode = Callable[..., PanopticNode]
GROUND_TYPES = {name: row.type for name, row in rows_of(GroundTopic).items()}
HEIGHT_M, PITCH, FOCAL = 1.5, 0.1, 120.0
PLACED = {
    "ground.camera_height_m": HEIGHT_M,
    "ground.camera_pitch_rad": PITCH,
    "ground.resolution_m": 0.5,
    "ground.decay_s": 0.0,
    "drivable.memory_s": 0.0,
}
FOOT_M = HEIGHT_M / math.tan(PITCH + math.atan((18 * 4 - 0.5 - 64) / FOCAL))
"""How far ahead the drawn cars stand: their lowest row is the 18th of the map."""


def camera_info(size: tuple[int, int] = CAMERA_SIZE, focal: float = FOCAL) -> Any:
    message = TYPES.make(CAMERA_INFO)
    message.height, message.width = size
    message.distortion_model = "plumb_bob"
    message.k = [focal, 0.0, 128.0, 0.0, focal, 64.0, 0.0, 0.0, 1.0 if focal else 0.0]
    message.d = [0.0] * 5
    return message


def act(bench: Bench, camera: Camera, info: Any) -> Callable[[], None]:
    def publish() -> None:
        if info is not None:
            bench.publish("/camera_info", info)
        camera.shoot()

    return publish


def test_the_ground_is_published_where_it_is_known(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    node = make_node(**PLACED)
    node.start()
    bench = bench_of(node)
    heard = {name: bench.listen(f"/panoptic/{name}", kind) for name, kind in GROUND_TYPES.items()}
    bench.until(lambda: all(heard.values()), act(bench, Camera(bench), camera_info()))
    grid, outline, scan, points = (heard[name][-1] for name in GROUND_TYPES)
    assert {message.header.frame_id for message in (grid, outline, scan, points)} == {"base_link"}
    assert grid.header.stamp.sec >= 100

    cells = np.array(grid.data, np.int8).reshape(grid.info.height, grid.info.width)
    assert cells.shape == (40, 80)
    assert grid.info.resolution == pytest.approx(0.5)
    assert (grid.info.origin.position.x, grid.info.origin.position.y) == (0.0, -10.0)
    # The first car stands 1.3 to 5.4 m to the left at its foot.
    beside_car = cells[10 * 2 + 6]
    assert (beside_car[12 : int(FOOT_M / 0.5) - 1] == 0).all()
    assert beside_car[int(FOOT_M / 0.5) + 1] == 100
    assert beside_car[0] == -1

    found = np.frombuffer(points.data, np.float32).reshape(-1, 4)
    assert points.point_step == 16
    assert len(found) == points.width > 10
    np.testing.assert_allclose(found[found[:, 1] > 0, 0], FOOT_M, rtol=1e-4)
    labels = np.frombuffer(points.data, np.uint8).reshape(-1, 16)[:, 12]
    assert set(labels.tolist()) == {1}

    ranges = np.array(scan.ranges)
    ahead = round((math.atan2(3.0, FOOT_M) - scan.angle_min) / scan.angle_increment)
    assert ranges[ahead] == pytest.approx(math.hypot(3.0, FOOT_M), rel=0.02)
    assert np.isinf(ranges[round(-scan.angle_min / scan.angle_increment)])
    assert scan.angle_max == pytest.approx(
        scan.angle_min + scan.angle_increment * (len(ranges) - 1), abs=1e-5
    )

    corners = np.array([(point.x, point.y) for point in outline.polygon.points])
    assert 4 <= len(corners) < 128
    assert np.hypot(*corners.T).max() == pytest.approx(40.0, rel=1e-4)
    assert np.abs(corners[:, 0] - FOOT_M).min() < 1e-3


@pytest.mark.parametrize(
    ("parameters", "info", "why"),
    [
        (PLACED, None, "there is no camera_info"),
        (PLACED, camera_info(focal=0.0), "not calibrated"),
        (PLACED, camera_info((64, 64)), "camera_info is for 64x64, the image is 256x128"),
        ({}, camera_info(), "set ground.camera_height_m"),
    ],
    ids=["no camera_info", "not calibrated", "another size", "no mounting"],
)
def test_silence_in_metres_is_explained_once(
    make_node: MakeNode,
    bench_of: Callable[..., Bench],
    capfd: pytest.CaptureFixture[str],
    parameters: dict[str, Any],
    info: Any,
    why: str,
) -> None:
    node = make_node(**parameters)
    node.start()
    bench = bench_of(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    grids = bench.listen("/panoptic/drivable_grid", GROUND_TYPES["drivable_grid"])
    masks = bench.listen("/panoptic/drivable")
    publish = act(bench, Camera(bench), info)
    bench.until(lambda: why in words(reports, "panoptic: camera: ground")[1], publish)
    seen = len(masks)
    bench.until(lambda: len(masks) > seen + 3, publish)
    assert words(reports, "panoptic: camera: ground")[0] == 1
    assert not grids
    assert node.failure is None
    told = [line for line in capfd.readouterr().err.splitlines() if why in line]
    assert len(told) == 1


def test_nothing_is_said_about_metres_while_nobody_asks_for_them(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    node = make_node()
    node.start()
    bench = bench_of(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    masks = bench.listen("/panoptic/drivable")
    bench.until(lambda: masks and reports, Camera(bench).shoot)
    bench.spin(0.5)
    assert words(reports, "panoptic: camera: ground") == (-1, "")


def test_nothing_is_said_about_metres_once_nobody_asks_any_more(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    node = make_node(**PLACED)
    node.start()
    bench, asking = bench_of(node), bench_of()
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    asking.listen("/panoptic/drivable_grid", GROUND_TYPES["drivable_grid"])
    shoot = Camera(bench).shoot
    bench.until(lambda: words(reports, "panoptic: camera: ground")[0] == 1, shoot)
    for subscription in [*asking.node.subscriptions]:
        asking.node.destroy_subscription(subscription)
    bench.until(lambda: words(reports, "panoptic: camera: ground")[0] == -1, shoot)


def test_another_grid_counts_from_the_next_image_of_a_camera_known_already(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    from rclpy.parameter import Parameter

    node = make_node(**PLACED)
    node.start()
    bench = bench_of(node)
    grids = bench.listen("/panoptic/drivable_grid", GROUND_TYPES["drivable_grid"])
    publish = act(bench, Camera(bench), camera_info())
    bench.until(lambda: grids, publish)
    length_m = grids[-1].info.width * grids[-1].info.resolution
    for name, wanted, measure in (
        ("ground.resolution_m", 0.25, lambda info: info.resolution),
        ("ground.length_m", length_m / 2, lambda info: info.width * info.resolution),
    ):
        assert measure(grids[-1].info) != pytest.approx(wanted)
        assert node.set_parameters([Parameter(name, value=wanted)])[0].successful
        expected = pytest.approx(wanted)
        bench.until(
            lambda measure=measure, expected=expected: measure(grids[-1].info) == expected,
            publish,
        )


def test_a_mounting_that_is_set_while_the_node_runs_counts_from_then_on(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    from rclpy.parameter import Parameter

    node = make_node()
    node.start()
    bench = bench_of(node)
    grids = bench.listen("/panoptic/drivable_grid", GROUND_TYPES["drivable_grid"])
    publish = act(bench, Camera(bench), camera_info())
    for _ in range(5):
        publish()
        bench.spin(0.05)
    assert not grids
    values = {"ground.camera_height_m": 1.2, "ground.horizon_row": 50.0}
    changes = [Parameter(name, value=value) for name, value in values.items()]
    assert all(answer.successful for answer in node.set_parameters(changes))
    bench.until(lambda: grids, publish)
    assert 0 in grids[-1].data
