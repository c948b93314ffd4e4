# SPDX-License-Identifier: Apache-2.0
"""``panoptic replay`` over a bag with point clouds: the same topics as the node's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.messages.clouds.point_cloud import cloud_message, to_cloud
from panoptic_ros.recordings.bag_writer import BagWriter, bag_types
from test.drawn.painted_engine import street
from test.drawn.transforms import transforms

pytest.importorskip("rosbags")
pytestmark = pytest.mark.usefixtures("painted")

TYPES = bag_types()
FRAMES, DEPTH_M, FOCAL = 5, 8.0, 100.0
SIZE = (96, 128)
CLOUDS = "/lidar/points"


def header(stamp_ns: int, frame: str) -> Any:
    stamp = TYPES.make(
        "builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    return TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame)


def camera_info(stamp_ns: int) -> Any:
    region = TYPES.make(
        "sensor_msgs/msg/RegionOfInterest",
        x_offset=0,
        y_offset=0,
        height=0,
        width=0,
        do_rectify=False,
    )
    k = np.array([FOCAL, 0, SIZE[1] / 2, 0, FOCAL, SIZE[0] / 2, 0, 0, 1.0])
    return TYPES.make(
        "sensor_msgs/msg/CameraInfo",
        header=header(stamp_ns, "camera"),
        height=SIZE[0],
        width=SIZE[1],
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=k,
        r=np.eye(3).ravel(),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


def tf_message(stamp_ns: int) -> Any:
    entry = transforms("camera", "lidar").transforms[0].transform
    shift, turn = vars(entry.translation), vars(entry.rotation)
    moved = TYPES.make(
        "geometry_msgs/msg/Transform",
        translation=TYPES.make("geometry_msgs/msg/Vector3", **shift),
        rotation=TYPES.make("geometry_msgs/msg/Quaternion", **turn),
    )
    stamped = TYPES.make(
        "geometry_msgs/msg/TransformStamped",
        header=header(stamp_ns, "camera"),
        child_frame_id="lidar",
        transform=moved,
    )
    return TYPES.make("tf2_msgs/msg/TFMessage", transforms=[stamped])


def wall() -> Any:
    y, z = np.meshgrid(np.linspace(-5, 5, 60), np.linspace(-4, 4, 40))
    points = np.zeros(y.size, [(name, "f4") for name in ("x", "y", "z")])
    points["x"], points["y"], points["z"] = DEPTH_M, y.ravel(), z.ravel()
    return points, y.shape


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A camera at 10 Hz, and a LiDAR whose clouds are 20 ms later."""
    from panoptic_ros.messages.convert import image_message

    path = tmp_path / "drive.mcap"
    points, shape = wall()
    with BagWriter(path) as bag:
        bag.write("/tf_static", tf_message(10**9), 10**9)
        for number in range(FRAMES):
            time_ns = 2 * 10**9 + number * 10**8
            pixels = street(10 + 3 * number, width=128, height=96)
            bag.write("/front/camera_info", camera_info(time_ns), time_ns)
            image = image_message(pixels, "rgb8", TYPES, header(time_ns, "camera"))
            bag.write("/front/image_raw", image, time_ns)
            late_ns = time_ns + 20_000_000
            cloud = cloud_message(points, shape, TYPES, header(late_ns, "lidar"))
            bag.write(CLOUDS, cloud, late_ns)
    return path


def replay(*words: object) -> int:
    return main(["replay", *map(str, words), "--engine", "painted"])


def messages(path: Path) -> dict[str, list[Any]]:
    from rosbags.highlevel import AnyReader

    found: dict[str, list[Any]] = {}
    with AnyReader([path]) as reader:
        for entry, _, data in reader.messages():
            found.setdefault(entry.topic, []).append(reader.deserialize(data, entry.msgtype))
    return found


def test_every_cloud_is_labelled_by_the_image_next_to_it(drive: Path, tmp_path: Path) -> None:
    assert replay(drive, "--clouds", CLOUDS, "--out", tmp_path / "r.mcap") == 0
    found = messages(tmp_path / "r.mcap")
    assert [len(found[f"/panoptic/{name}"]) for name in ("label", "points", "objects")] == [5] * 3
    for number, message in enumerate(found["/panoptic/points"]):
        assert message.header.frame_id == "lidar"
        assert message.header.stamp.nanosec == number * 10**8 + 20_000_000
        assert (message.height, message.width) == (40, 60)
        np.testing.assert_array_equal(to_cloud(message, 10**6).points[:, 0], DEPTH_M)
        data = message.data.reshape(-1, message.point_step)
        instances = data[:, 18:20].copy().view(np.uint16)
        detected = found["/panoptic/detections"][number].detections
        boxed = found["/panoptic/objects"][number].detections
        assert {str(one) for one in np.unique(instances) if one} == {one.id for one in detected}
        assert {one.id for one in boxed} == {one.id for one in detected}
        assert boxed[0].bbox.center.position.x == pytest.approx(DEPTH_M, abs=0.05)


def test_two_runs_are_equal_to_the_byte(drive: Path, tmp_path: Path) -> None:
    from rosbags.rosbag2 import Reader

    contents = []
    for name in ("a.mcap", "b.mcap"):
        assert replay(drive, "--clouds", CLOUDS, "--out", tmp_path / name) == 0
        with Reader(tmp_path / name) as reader:
            contents.append(
                [(one.topic, time, bytes(data)) for one, time, data in reader.messages()]
            )
    assert contents[0] == contents[1]


def test_without_the_argument_the_clouds_stay_out(drive: Path, tmp_path: Path) -> None:
    assert replay(drive, "--out", tmp_path / "r.mcap") == 0
    assert "/panoptic/points" not in messages(tmp_path / "r.mcap")


def test_parameters_may_name_the_topic(drive: Path, tmp_path: Path) -> None:
    params = tmp_path / "p.yaml"
    params.write_text(f"/**:\n  ros__parameters:\n    cloud_topics: ['{CLOUDS}']\n")
    assert replay(drive, "--params", params, "--out", tmp_path / "r.mcap") == 0
    assert len(messages(tmp_path / "r.mcap")["/panoptic/points"]) == FRAMES


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        ("/nothing", f"no clouds on /nothing; point clouds are on: {CLOUDS}"),
        ("/front/camera_info", "carries sensor_msgs/msg/CameraInfo, needs PointCloud2"),
    ],
)
def test_a_topic_without_clouds_is_one_line(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], topic: str, why: str
) -> None:
    assert replay(drive, "--clouds", topic, "--out", tmp_path / "r.mcap") != 0
    error = capsys.readouterr().err.strip().splitlines()
    assert len([line for line in error if why in line]) == 1


def test_clouds_that_are_lost_are_told_by_cause(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = tmp_path / "p.yaml"
    params.write_text("/**:\n  ros__parameters:\n    points: {max_offset_s: 0.01}\n")
    words = ("--params", params, "--clouds", CLOUDS, "--out", tmp_path / "r.mcap")
    assert replay(drive, *words) == 0
    error = capsys.readouterr().err
    assert "5 clouds dropped: clouds with no image within points.max_offset_s" in error
    assert "the nearest image is 0.020 s before the cloud" in error
