# SPDX-License-Identifier: Apache-2.0
"""Tracks and classes as ``vision_msgs`` (version 4, Humble and later) says them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from panoptic_ros.core.geometry import enlarge_box
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.remap import Remap
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Box, Track
from panoptic_ros.messages.message_types import MessageTypes

DETECTION_ARRAY = "vision_msgs/msg/Detection2DArray"
LABEL_INFO = "vision_msgs/msg/LabelInfo"


def detections(result: Result, labels: LabelSet, types: MessageTypes, header: Any) -> Any:
    """Build a Detection2DArray of the tracks seen in a frame.

    Args:
        result: One frame's result.
        labels: Classes of the model.
        types: Message classes, with vision_msgs.
        header: The input's header, put into every message as it is.

    Returns:
        Boxes in camera pixels; ``id`` is the track's value in the instance image.
    """
    map_size = result.panoptic.ids.shape[:2]
    found = [
        _detection(
            track,
            enlarge_box(track.segment.box, (map_size[0], map_size[1]), result.camera_size),
            labels.labels[track.label].name,
            types,
            header,
        )
        for track in result.tracks
    ]
    return types.make(DETECTION_ARRAY, header=header, detections=found)


def label_info(labels: LabelSet, types: MessageTypes, header: Any) -> Any:
    """Build the LabelInfo that says what the values of the label image mean.

    Args:
        labels: Classes of the model.
        types: Message classes, with vision_msgs.
        header: Put into the message as it is.
    """
    return _class_map(((label.index, label.name) for label in labels.labels), types, header)


def remap_info(remap: Remap, types: MessageTypes, header: Any) -> Any:
    """Build the LabelInfo that says what the values of a remapped label image mean.

    Args:
        remap: Into the consumer's classes.
        types: Message classes, with vision_msgs.
        header: Put into the message as it is.
    """
    return _class_map(((entry.value, entry.name) for entry in remap.classes), types, header)


def _class_map(classes: Iterable[tuple[int, str]], types: MessageTypes, header: Any) -> Any:
    class_map = [
        types.make("vision_msgs/msg/VisionClass", class_id=value, class_name=name)
        for value, name in classes
    ]
    return types.make(LABEL_INFO, header=header, class_map=class_map, threshold=0.0)


def _detection(track: Track, box: Box, name: str, types: MessageTypes, header: Any) -> Any:
    hypothesis = types.make(
        "vision_msgs/msg/ObjectHypothesis", class_id=name, score=float(track.score)
    )
    result = types.make(
        "vision_msgs/msg/ObjectHypothesisWithPose", hypothesis=hypothesis, pose=_no_pose(types)
    )
    return types.make(
        "vision_msgs/msg/Detection2D",
        header=header,
        results=[result],
        bbox=_bounding_box(box, types),
        id=str(track.id),
    )


def _bounding_box(box: Box, types: MessageTypes) -> Any:
    x0, y0, x1, y1 = box
    position = types.make("vision_msgs/msg/Point2D", x=(x0 + x1) / 2, y=(y0 + y1) / 2)
    center = types.make("vision_msgs/msg/Pose2D", position=position, theta=0.0)
    return types.make(
        "vision_msgs/msg/BoundingBox2D",
        center=center,
        size_x=float(x1 - x0),
        size_y=float(y1 - y0),
    )


def _no_pose(types: MessageTypes) -> Any:
    point = types.make("geometry_msgs/msg/Point", x=0.0, y=0.0, z=0.0)
    turn = types.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0)
    pose = types.make("geometry_msgs/msg/Pose", position=point, orientation=turn)
    return types.make("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=np.zeros(36))
