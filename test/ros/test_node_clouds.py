# SPDX-License-Identifier: Apache-2.0
"""The node with a LiDAR or a depth camera: labels, boxes, grid, and why there are none."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.messages.camera_info import CAMERA_INFO
from panoptic_ros.messages.clouds.point_cloud import POINT_CLOUD, cloud_message, to_cloud
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, ids, value, words
from test.drawn.graph import TYPES, Bench, header
from test.drawn.street_scene import CAMERA_SIZE
from test.drawn.transforms import transforms

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
ROW = "panoptic: camera: points"
MakeNode = Callable[..., PanopticNode]
FOCAL, DEPTH_M = 120.0, 8.0
HEIGHT, WIDTH = CAMERA_SIZE


def camera_info(stamp_ns: int = 0, frame: str = "front_optical") -> Any:
    message = TYPES.make(CAMERA_INFO, header=header(stamp_ns, frame))
    message.height, message.width = CAMERA_SIZE
    message.distortion_model = "plumb_bob"
    message.k = [FOCAL, 0.0, WIDTH / 2, 0.0, FOCAL, HEIGHT / 2, 0.0, 0.0, 1.0]
    message.d = [0.0] * 5
    return message


def wall(stamp_ns: int, frame: str = "lidar", count: int = 64) -> Any:
    """A wall 8 m ahead, in axes of a LiDAR: x ahead, y left, z up."""
    y, z = np.meshgrid(np.linspace(-8, 8, count), np.linspace(-4, 4, count // 2))
    points = np.zeros(y.size, [(name, "f4") for name in ("x", "y", "z", "intensity")])
    points["x"], points["y"], points["z"] = DEPTH_M, y.ravel(), z.ravel()
    points["x"][:3] = np.nan
    return cloud_message(points, y.shape, TYPES, header(stamp_ns, frame))


class Lidar:
    """Publishes clouds with the stamps of a camera."""

    def __init__(self, bench: Bench, make: Callable[[int], Any] = wall, delay_ns: int = 0) -> None:
        self.bench, self.camera, self.make, self.delay_ns = bench, Camera(bench), make, delay_ns

    def shoot(self) -> None:
        self.bench.publish("/camera_info", camera_info())
        self.camera.shoot()
        self.bench.publish("/cloud", self.make(self.camera.stamp_ns + self.delay_ns))


def sensors() -> Any:
    """The LiDAR in the camera's frame, in ROS's own classes, as tf2 wants them."""
    entry = transforms("front_optical", "lidar").transforms[0]
    shift, turn = entry.transform.translation, entry.transform.rotation
    moved = TYPES.make(
        "geometry_msgs/msg/Transform",
        translation=TYPES.make("geometry_msgs/msg/Vector3", **vars(shift)),
        rotation=TYPES.make("geometry_msgs/msg/Quaternion", **vars(turn)),
    )
    stamped = TYPES.make(
        "geometry_msgs/msg/TransformStamped",
        header=header(0, "front_optical"),
        child_frame_id="lidar",
        transform=moved,
    )
    return SimpleNamespace(transforms=[stamped])


def started(make_node: MakeNode, is_placed: bool = True, **parameters: Any) -> PanopticNode:
    node = make_node(cloud_topics=["/cloud"], **parameters)
    if is_placed:
        node._transforms.take(sensors())
    node.start()
    return node


def test_points_get_the_labels_of_the_image(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    node = started(make_node)
    bench = bench_of(node)
    points = bench.listen("/panoptic/points", POINT_CLOUD)
    instances = bench.listen("/panoptic/instance")
    motion = bench.listen("/panoptic/objects/motion", POINT_CLOUD)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    bench.until(lambda: len(points) > 3 and len(motion) > 1 and instances, Lidar(bench).shoot)

    message = points[-1]
    assert message.header.frame_id == "lidar"
    assert (message.height, message.width) == (32, 64)
    data = np.frombuffer(message.data, np.uint8).reshape(-1, 24)
    found = set(np.ascontiguousarray(data[:, 18:20]).view(np.uint16).ravel().tolist())
    assert found == ids(instances[-1])
    assert set(data[:3, 16].tolist()) == {255}
    again = to_cloud(message, 10**6)
    assert np.isnan(again.points[:3, 0]).all()
    np.testing.assert_allclose(again.points[3:, 0], DEPTH_M)
    assert motion[-1].width == len(found - {0})
    bench.until(lambda: int(value(reports, ROW, "points_not_a_number") or 0) > 0)
    assert words(reports, ROW) == (0, "")
    assert int(value(reports, ROW, "labelled")) <= int(value(reports, ROW, "received"))


@pytest.mark.vision
def test_boxes_on_the_wire_have_the_ids_of_the_detections(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    bench = bench_of(started(make_node))
    boxed = bench.listen("/panoptic/objects", "vision_msgs/msg/Detection3DArray")
    detected = bench.listen("/panoptic/detections", "vision_msgs/msg/Detection2DArray")
    lidar = Lidar(bench)
    pairs: list[tuple[Any, Any]] = []

    def have_met() -> bool:
        pairs.extend(
            (mine, other)
            for mine in boxed
            for other in detected
            if mine.header.stamp == other.header.stamp and mine.detections
        )
        return bool(pairs)

    bench.until(have_met, lidar.shoot)
    boxes, detections = pairs[-1]
    assert boxes.header.frame_id == "lidar"
    assert [one.id for one in boxes.detections] == [one.id for one in detections.detections]
    for box, flat in zip(boxes.detections, detections.detections, strict=True):
        assert box.header == boxes.header
        assert box.bbox.center.position.x == pytest.approx(DEPTH_M, abs=0.05)
        assert min(box.bbox.size.x, box.bbox.size.z) > 0.3
        (result,) = box.results
        assert result.hypothesis.class_id == flat.results[0].hypothesis.class_id == "car"


def test_a_depth_image_gives_organised_points(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    def depth(stamp_ns: int) -> Any:
        from panoptic_ros.messages.convert import image_message

        pixels = np.full((HEIGHT, WIDTH), 8000, np.uint16)
        return image_message(pixels, "16UC1", TYPES, header(stamp_ns))

    node = make_node(cloud_topics=["/depth/image"], **{"points.depth_step": 2})
    node.start()
    bench = bench_of(node)
    points = bench.listen("/panoptic/points", POINT_CLOUD)
    camera = Camera(bench)

    def shoot() -> None:
        bench.publish("/camera_info", camera_info())
        bench.publish("/depth/camera_info", camera_info())
        camera.shoot()
        bench.publish("/depth/image", depth(camera.stamp_ns))

    bench.until(lambda: points, shoot)
    assert (points[-1].height, points[-1].width) == (HEIGHT // 2, WIDTH // 2)
    assert points[-1].header.frame_id == "front_optical"
    np.testing.assert_allclose(to_cloud(points[-1], 10**6).points[:, 2], DEPTH_M, rtol=1e-5)


def without(name: str) -> Callable[[int], Any]:
    def make(stamp_ns: int) -> Any:
        message = wall(stamp_ns)
        message.fields = [field for field in message.fields if field.name != name]
        return message

    return make


def void(stamp_ns: int) -> Any:
    message = wall(stamp_ns)
    message.data = TYPES.payload(np.full(len(message.data) // 4, np.nan, np.float32))
    return message


def huge(stamp_ns: int) -> Any:
    message = wall(stamp_ns)
    message.width = 10_000_000
    return message


BAD = {
    "no transform": (False, wall, 0, "dropped_no_transform", "no transform has been heard"),
    "another frame": (
        True,
        lambda stamp_ns: wall(stamp_ns, "other"),
        0,
        "dropped_no_transform",
        "TF has no way from the cloud's frame 'other' to the camera's 'front_optical'",
    ),
    "another time": (True, wall, -(10**9), "dropped_no_image", "s after the cloud, more than"),
    "no field": (True, without("y"), 0, "dropped_unusable", "has no field y"),
    "no numbers": (True, void, 0, "dropped_no_points", "none of the cloud's 2048 points"),
    "ten million": (True, huge, 0, "dropped_too_large", "320,000,000 points, more than"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_cloud_that_cannot_be_used_is_counted_and_said(
    case: str,
    make_node: MakeNode,
    bench_of: Callable[..., Bench],
    capfd: pytest.CaptureFixture[str],
) -> None:
    is_placed, make, delay_ns, cause, why = BAD[case]
    node = started(make_node, is_placed)
    bench = bench_of(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    points = bench.listen("/panoptic/points", POINT_CLOUD)
    lidar = Lidar(bench, make, delay_ns)
    bench.until(lambda: int(value(reports, ROW, cause) or 0) > 3, lidar.shoot)
    level, said = words(reports, ROW)
    assert (level, why in said) == (1, True)
    assert not points
    assert node.failure is None
    told = [line for line in capfd.readouterr().err.splitlines() if why in line]
    assert 1 <= len(told) <= 3
    assert "camera: cloud dropped" in told[0]


def test_clouds_without_a_camera_info_are_counted(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    node = started(make_node)
    bench = bench_of(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    bench.listen("/panoptic/points", POINT_CLOUD)
    camera = Camera(bench)

    def shoot() -> None:
        camera.shoot()
        bench.publish("/cloud", wall(camera.stamp_ns))

    cause = "dropped_no_calibration"
    bench.until(lambda: int(value(reports, ROW, cause) or 0) > 0, shoot)
    assert "no camera_info" in words(reports, ROW)[1]


def test_a_topic_that_is_silent_or_carries_other_things_is_said(
    make_node: MakeNode, bench_of: Callable[..., Bench]
) -> None:
    node = started(make_node)
    bench = bench_of(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    bench.until(lambda: words(reports, ROW) == (1, "no cloud on /cloud"))
    info = camera_info()
    bench.until(
        lambda: "carries sensor_msgs/msg/CameraInfo" in words(reports, ROW)[1],
        lambda: bench.publish("/cloud", info),
    )


def test_the_grid_takes_the_points(make_node: MakeNode, bench_of: Callable[..., Bench]) -> None:
    grid = "nav_msgs/msg/OccupancyGrid"
    placed = {"ground.camera_height_m": 1.5, "ground.decay_s": 0.0, "ground.resolution_m": 0.5}
    node = started(make_node, **placed)
    bench = bench_of(node)
    grids = bench.listen("/panoptic/drivable_grid", grid)
    lidar = Lidar(bench)

    def at_wall() -> int:
        """Cells at the wall's distance that the cars fill; a flat ground has them at 22 m."""
        cells = np.array(grids[-1].data, np.int8).reshape(grids[-1].info.height, -1)
        return int((cells[:, 15:18] == 100).any(axis=1).sum())

    bench.until(lambda: grids and at_wall() > 6, lidar.shoot)


def test_the_lists_of_topics_must_fit_the_cameras(make_node: MakeNode) -> None:
    from panoptic_ros.core.errors import ConfigError
    from panoptic_ros.core.node_config import NodeConfig
    from panoptic_ros.ros.parameters import check_cameras

    with pytest.raises(ConfigError, match="cloud_topics has 2 entries for 1 cameras"):
        check_cameras(NodeConfig(cloud_topics=("/a", "/b")))
