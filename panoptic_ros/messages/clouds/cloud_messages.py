# SPDX-License-Identifier: Apache-2.0
"""Labelled points and the boxes of objects as messages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.boxes import ObjectBox
from panoptic_ros.core.ground.extrinsics import quaternion_of
from panoptic_ros.messages.clouds.point_cloud import cloud_message
from panoptic_ros.messages.context import CloudContext
from panoptic_ros.messages.message_types import MessageTypes

DETECTION_3D_ARRAY = "vision_msgs/msg/Detection3DArray"

_POINT = np.dtype(
    {
        "names": ["x", "y", "z", "intensity", "label", "instance", "confidence"],
        "formats": ["f4", "f4", "f4", "f4", "u1", "u2", "u1"],
        "offsets": [0, 4, 8, 12, 16, 18, 20],
        "itemsize": 24,
    }
)
_MOTION = np.dtype(
    [
        *((name, "f4") for name in ("x", "y", "z", "vx", "vy", "vz")),
        *((name, "f4") for name in ("distance", "speed_deviation")),
        ("label", "u2"),
        ("instance", "u2"),
    ]
)


def labelled_points(context: CloudContext) -> Any:
    """Build a PointCloud2 of the cloud's points, all of them and in their order.

    Returns:
        Under the cloud's header, organised as it is; ``label`` and ``instance`` as in the label
        and the instance image.
    """
    labelled = context.labelled
    points = np.zeros(len(labelled.cloud), _POINT)
    points["x"], points["y"], points["z"] = labelled.cloud.points.T
    points["intensity"] = labelled.cloud.intensity
    points["label"], points["instance"] = labelled.labels, labelled.ids
    points["confidence"] = labelled.confidence
    return cloud_message(points, labelled.cloud.shape, context.types, context.header)


def objects(context: CloudContext) -> Any:
    """Build a Detection3DArray; ``id`` is that of the object in the Detection2DArray."""
    found = [_detection(box, context) for box in context.boxes]
    return context.types.make(DETECTION_3D_ARRAY, header=context.header, detections=found)


def object_motion(context: CloudContext) -> Any:
    """Build a PointCloud2 with a point per object, as radars send them: place and velocity."""
    points = np.zeros(len(context.boxes), _MOTION)
    for row, box in zip(points, context.boxes, strict=True):
        row["x"], row["y"], row["z"] = box.center
        row["vx"], row["vy"], row["vz"] = box.velocity
        row["distance"] = box.distance_m
        row["speed_deviation"] = np.sqrt(np.trace(box.velocity_covariance))
        row["label"], row["instance"] = box.track.label, box.track.id
    return cloud_message(points, (1, len(points)), context.types, context.header)


def _detection(box: ObjectBox, context: CloudContext) -> Any:
    types = context.types
    pose = _pose(box, types)
    hypothesis = types.make(
        "vision_msgs/msg/ObjectHypothesis",
        class_id=context.labelled.result.label_set.name_of(box.track.label),
        score=float(box.track.score),
    )
    covariance = types.make(
        "geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=_covariance(box)
    )
    result = types.make(
        "vision_msgs/msg/ObjectHypothesisWithPose", hypothesis=hypothesis, pose=covariance
    )
    x, y, z = box.size.tolist()
    size = types.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z)
    return types.make(
        "vision_msgs/msg/Detection3D",
        header=context.header,
        results=[result],
        bbox=types.make("vision_msgs/msg/BoundingBox3D", center=pose, size=size),
        id=str(box.track.id),
    )


def _pose(box: ObjectBox, types: MessageTypes) -> Any:
    x, y, z = box.center.tolist()
    qx, qy, qz, qw = quaternion_of(box.axes)
    return types.make(
        "geometry_msgs/msg/Pose",
        position=types.make("geometry_msgs/msg/Point", x=x, y=y, z=z),
        orientation=types.make("geometry_msgs/msg/Quaternion", x=qx, y=qy, z=qz, w=qw),
    )


def _covariance(box: ObjectBox) -> NDArray[np.float64]:
    """Covariance of position and, of which nothing is said, orientation; 36 values."""
    matrix = np.zeros((6, 6))
    matrix[:3, :3] = box.covariance
    return matrix.ravel()
