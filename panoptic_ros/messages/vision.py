# SPDX-License-Identifier: Apache-2.0
"""Tracks and classes as ``vision_msgs`` (version 4, Humble and later) says them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from panoptic_ros.core.types import Box, Track
from panoptic_ros.messages.context import FrameContext, LabelContext
from panoptic_ros.messages.message_types import MessageTypes

DETECTION_ARRAY = "vision_msgs/msg/Detection2DArray"
LABEL_INFO = "vision_msgs/msg/LabelInfo"


def detections(context: FrameContext) -> Any:
    """Build a Detection2DArray of the tracks seen in a frame.

    Returns:
        Boxes in camera pixels; ``id`` is the track's value in the instance image. The input's
        header stands in every message. ``results`` sum to one: the track's class first, then
        other classes, then "void" for what is left.
    """
    header = context.header
    found = [_detection(track, context) for track in context.result.tracks]
    return context.types.make(DETECTION_ARRAY, header=header, detections=found)


def label_info(context: LabelContext) -> Any:
    """Build the LabelInfo that says what the values of the label image mean."""
    return _class_map(((label.index, label.name) for label in context.labels.labels), context)


def remapped_label_info(context: LabelContext) -> Any:
    """Build the LabelInfo that says what the values of the remapped label image mean.

    Returns:
        The message; None where nothing is said about the model's classes.
    """
    remap = context.remaps.get("remapped/label")
    if remap is None:
        return None
    return _class_map(((entry.value, entry.name) for entry in remap.classes), context)


def _class_map(classes: Iterable[tuple[int, str]], context: LabelContext) -> Any:
    make = context.types.make
    class_map = [
        make("vision_msgs/msg/VisionClass", class_id=value, class_name=name)
        for value, name in classes
    ]
    return make(LABEL_INFO, header=context.header, class_map=class_map, threshold=0.0)


def _detection(track: Track, context: FrameContext) -> Any:
    types = context.types
    named = context.labels.named_probabilities(track.probabilities)
    return types.make(
        "vision_msgs/msg/Detection2D",
        header=context.header,
        results=[_hypothesis(name, score, types) for name, score in named.items()],
        bbox=_bounding_box(context.result.camera_box(track), types),
        id=str(track.id),
    )


def _hypothesis(name: str, score: float, types: MessageTypes) -> Any:
    hypothesis = types.make("vision_msgs/msg/ObjectHypothesis", class_id=name, score=score)
    return types.make(
        "vision_msgs/msg/ObjectHypothesisWithPose", hypothesis=hypothesis, pose=_no_pose(types)
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
