# SPDX-License-Identifier: Apache-2.0
"""What is published about a point cloud."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.clouds.boxes import boxes_of
from panoptic_ros.core.clouds.labelling import label_cloud
from panoptic_ros.core.ground.extrinsics import quaternion_of, rotation_of
from panoptic_ros.messages.clouds.point_cloud import to_cloud
from panoptic_ros.messages.context import CloudContext
from panoptic_ros.messages.topic import CloudTopic
from panoptic_ros.messages.topics import build_cloud_messages, rows_of
from panoptic_ros.recordings.bag_writer import bag_types
from test.drawn.drawn_cloud import CAMERA, Scene

TYPES = bag_types()


@cache
def context() -> CloudContext:
    scene = Scene(step=2)
    cloud, _ = scene.cloud()
    labelled = label_cloud(cloud, scene.result(), CAMERA, scene.camera_from_cloud)
    moving = [
        replace(box, velocity=np.array([1.0, 2.0, 0.5]), velocity_covariance=np.eye(3))
        for box in boxes_of(labelled, np.array([0.0, 0.0, 1.0]))
    ]
    stamp = TYPES.make("builtin_interfaces/msg/Time", sec=1, nanosec=2)
    header = TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id="lidar")
    return CloudContext(labelled, moving, TYPES, header)


@cache
def messages() -> dict[str, Any]:
    return build_cloud_messages(list(rows_of(CloudTopic)), context())


def column(message: Any, name: str) -> Any:
    """Values of a field of a PointCloud2."""
    place = next(field for field in message.fields if field.name == name)
    kind = {2: "u1", 4: "u2", 7: "f4"}[place.datatype]
    data = np.frombuffer(message.data, np.uint8).reshape(-1, message.point_step)
    end = place.offset + np.dtype(kind).itemsize
    return np.ascontiguousarray(data[:, place.offset : end]).view(kind).ravel()


def test_all_messages_have_the_clouds_header() -> None:
    assert set(messages()) == {"points", "objects", "objects/motion"}
    assert all(message.header is context().header for message in messages().values())


def test_only_what_is_wanted_is_built() -> None:
    assert list(build_cloud_messages(["objects", "label"], context())) == ["objects"]


def test_points_are_those_of_the_cloud_with_their_labels() -> None:
    message, labelled = messages()["points"], context().labelled
    names = [field.name for field in message.fields]
    assert names == ["x", "y", "z", "intensity", "label", "instance", "confidence"]
    assert [field.offset for field in message.fields] == [0, 4, 8, 12, 16, 18, 20]
    assert {field.count for field in message.fields} == {1}
    assert message.point_step == 24
    assert (message.height, message.width) == labelled.cloud.shape
    assert message.row_step == message.width * message.point_step
    again = to_cloud(message, 10**6)
    np.testing.assert_array_equal(again.points, labelled.cloud.points)
    np.testing.assert_array_equal(again.intensity, labelled.cloud.intensity)
    np.testing.assert_array_equal(column(message, "label"), labelled.labels)
    np.testing.assert_array_equal(column(message, "instance"), labelled.ids)
    np.testing.assert_array_equal(column(message, "confidence"), labelled.confidence)


def test_a_cloud_with_holes_is_not_dense() -> None:
    assert not messages()["points"].is_dense
    assert messages()["objects/motion"].is_dense


def test_objects_have_the_ids_of_their_tracks_and_their_boxes() -> None:
    message, boxes = messages()["objects"], context().boxes
    assert [found.id for found in message.detections] == [str(box.track.id) for box in boxes]
    for found, box in zip(message.detections, boxes, strict=True):
        center, size = found.bbox.center, found.bbox.size
        assert [center.position.x, center.position.y, center.position.z] == box.center.tolist()
        assert [size.x, size.y, size.z] == box.size.tolist()
        turn = center.orientation
        np.testing.assert_allclose(
            rotation_of((turn.x, turn.y, turn.z, turn.w)), box.axes, atol=1e-9
        )
        (result,) = found.results
        assert result.hypothesis.class_id == "car"
        assert result.hypothesis.score == pytest.approx(0.9)
        covariance = np.reshape(result.pose.covariance, (6, 6))
        np.testing.assert_array_equal(covariance[:3, :3], box.covariance)


def test_motion_has_a_point_per_object() -> None:
    message, boxes = messages()["objects/motion"], context().boxes
    assert (message.height, message.width) == (1, len(boxes))
    assert column(message, "instance").tolist() == [box.track.id for box in boxes]
    np.testing.assert_allclose(column(message, "vy"), 2.0)
    np.testing.assert_allclose(column(message, "distance"), [box.distance_m for box in boxes])


def test_messages_can_be_written() -> None:
    from panoptic_ros.recordings.bag_writer import typestore

    for message in messages().values():
        assert len(typestore().serialize_cdr(message, message.__msgtype__)) > 100


@pytest.mark.ros
def test_messages_of_rclpy_are_the_same() -> None:
    from panoptic_ros.messages.message_types import rclpy_types

    types = rclpy_types()
    header = types.make("std_msgs/msg/Header", frame_id="lidar")
    made = build_cloud_messages(["points"], replace(context(), types=types, header=header))
    assert bytes(made["points"].data) == messages()["points"].data.tobytes()


def test_quaternions_turn_as_their_matrices() -> None:
    rng = np.random.default_rng(0)
    for quaternion in rng.normal(size=(50, 4)):
        turn = rotation_of(tuple(quaternion.tolist()))
        np.testing.assert_allclose(rotation_of(quaternion_of(turn)), turn, atol=1e-12)
