# SPDX-License-Identifier: Apache-2.0
"""What the messages of an output topic are built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_table import LabelTable
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.clouds.boxes import ObjectBox
from panoptic_ros.core.clouds.cloud import LabelledCloud
from panoptic_ros.core.clouds.on_ground import ground_points
from panoptic_ros.core.ground.grid import Boundary, Ground
from panoptic_ros.core.ground.ground_points import GroundPoints
from panoptic_ros.core.overlay import OverlayStyle, draw_overlay
from panoptic_ros.core.result import Result
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import CameraInfo, Header


@dataclass(frozen=True, eq=False)
class LabelContext:
    """What messages about classes are built from, before any frame.

    Attributes:
        labels: Classes of the model.
        types: Message classes.
        header: Put into the message as it is.
        remaps: Into the consumers' classes, by topic.
    """

    labels: LabelSet
    types: MessageTypes
    header: Header
    remaps: Mapping[str, LabelTable] = field(default_factory=dict)


@dataclass(eq=False)
class FrameContext:
    """What the messages about one frame are built from; used by one thread.

    What several topics need is made at most once, and only if somebody asks for it.

    Attributes:
        result: The frame's result.
        types: Message classes.
        header: The input's header, put into messages as it is.
        remaps: Into the consumers' classes, by topic.
        style: How the overlay looks.
        jpeg_quality: 1..100, of the compressed overlay.
        panoptic_encoding: ``16UC2`` or ``32SC1``.
        ground: Lays the surface on the ground; None where the camera's pose is not known.
        cloud: Labelled points of about the frame's time; None where there are none.
        camera_info: The camera's own CameraInfo, of any message library; None where it is silent.
    """

    result: Result
    types: MessageTypes
    header: Header
    remaps: Mapping[str, LabelTable] = field(default_factory=dict)
    style: OverlayStyle = field(default_factory=OverlayStyle)
    jpeg_quality: int = 80
    panoptic_encoding: str = "16UC2"
    ground: Ground | None = None
    cloud: LabelledCloud | None = None
    camera_info: CameraInfo | None = None

    @property
    def labels(self) -> LabelSet:
        """Classes of the model."""
        return self.result.label_set

    @cached_property
    def label_image(self) -> NDArray[np.uint8]:
        """Class index of every camera pixel, (H, W) uint8."""
        return self.result.semantic()

    @cached_property
    def instance_image(self) -> NDArray[np.uint16]:
        """Track id of every camera pixel, (H, W) uint16."""
        return self.result.instance_ids()

    @cached_property
    def overlay_image(self) -> NDArray[np.uint8]:
        """The image for people, RGB, (H, W, 3) uint8."""
        return draw_overlay(self.result, self.labels, self.style)

    @cached_property
    def on_ground(self) -> GroundContext | None:
        """What messages in metres are built from; None where the camera's pose is not known."""
        if self.ground is None:
            return None
        frame_id = self.ground.config.base_frame
        header = self.types.make("std_msgs/msg/Header", stamp=self.header.stamp, frame_id=frame_id)
        return GroundContext(self.result, self.types, header, self.ground, self.cloud)


@dataclass(eq=False)
class GroundContext:
    """What the messages in metres about one frame are built from.

    Attributes:
        result: The frame's result.
        types: Message classes.
        header: The input's stamp, and the frame of the ground.
        ground: Lays the surface on the ground.
        cloud: Labelled points of about the frame's time; None where there are none.
    """

    result: Result
    types: MessageTypes
    header: Header
    ground: Ground
    cloud: LabelledCloud | None = None

    @property
    def points(self) -> GroundPoints | None:
        """The labelled points in the base frame."""
        return None if self.cloud is None else ground_points(self.cloud, self.ground.pose)

    @cached_property
    def boundary(self) -> Boundary:
        """Where the free space ends, in metres."""
        return self.ground.boundary(self.result.drivable)


@dataclass(frozen=True, eq=False)
class CloudContext:
    """What the messages about one point cloud are built from.

    Attributes:
        labelled: The cloud under its result.
        boxes: Of the objects in it, by track id.
        types: Message classes.
        header: The cloud's header, put into messages as it is.
    """

    labelled: LabelledCloud
    boxes: Sequence[ObjectBox]
    types: MessageTypes
    header: Header
