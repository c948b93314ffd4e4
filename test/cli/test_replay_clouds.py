# SPDX-License-Identifier: Apache-2.0
"""``panoptic replay`` over a bag with point clouds: the same topics as the node's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.messages.clouds.point_cloud import to_cloud
from test.drawn.vehicle_bag import CAR, DEPTH_M, FRAMES, SIZE, pixels_of, write_drive

pytest.importorskip("rosbags")
pytestmark = pytest.mark.usefixtures("painted")

CLOUDS = "/lidar/points"


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    return write_drive(tmp_path / "drive.mcap")


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


def labelled(path: Path) -> tuple[Any, Any]:
    """Labels and instances of the points of the first cloud."""
    data = messages(path)["/panoptic/points"][0].data.reshape(-1, 24)
    return data[:, 16], data[:, 18:20].copy().view(np.uint16).ravel()


def params(folder: Path, words: str) -> Path:
    path = folder / "p.yaml"
    path.write_text(f"/**:\n  ros__parameters: {{cloud_topics: ['{CLOUDS}'], {words}}}\n")
    return path


def test_a_camera_on_its_head_labels_the_same_points(drive: Path, tmp_path: Path) -> None:
    assert replay(drive, "--clouds", CLOUDS, "--out", tmp_path / "upright.mcap") == 0
    turned = write_drive(tmp_path / "turned.mcap", is_turned=True)
    told = ("--params", params(tmp_path, "rotation: [180]"))
    assert replay(turned, *told, "--out", tmp_path / "turned_result.mcap") == 0
    for mine, expected in zip(
        labelled(tmp_path / "turned_result.mcap"), labelled(tmp_path / "upright.mcap"), strict=True
    ):
        np.testing.assert_array_equal(mine, expected)
        assert len(np.unique(mine)) > 1


def test_points_outside_of_the_region_have_no_label(drive: Path, tmp_path: Path) -> None:
    told = ("--params", params(tmp_path, "region: ['0,48,128,48']"))
    assert replay(drive, *told, "--out", tmp_path / "r.mcap") == 0
    labels, instances = labelled(tmp_path / "r.mcap")
    u, v = pixels_of(DEPTH_M)
    is_inside = (u >= 0) & (u < SIZE[1]) & (v >= 48) & (v < SIZE[0])
    x0, y0, x1, y1 = CAR
    on_car = (u > x0 + 2) & (u < x1 - 3) & (v > y0 + 2) & (v < y1 - 3)
    assert on_car.sum() > 5
    assert set(labels[~is_inside].tolist()) == {255}
    assert set(instances[on_car].tolist()) == {1}
