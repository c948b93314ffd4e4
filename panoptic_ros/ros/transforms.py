# SPDX-License-Identifier: Apache-2.0
"""Where frames are, from /tf and /tf_static; the little of tf2 that a camera's pose needs.

tf2's Python listener is not available as a wheel, and the pose of a camera needs neither its
interpolation nor its past: the newest transform of each frame is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.extrinsics import CameraPose, rotation_of
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.protocols import SubscribingNode

TF_MESSAGE = "tf2_msgs/msg/TFMessage"
_DEPTH = 100
_STATIC = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=_DEPTH,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)

Pose = NDArray[np.float64]
"""(4, 4): points of a frame -> its parent's."""


class Transforms:
    """The newest transform of every frame to its parent.

    The executor's thread fills it, any thread may ask.

    Args:
        node: Who listens; None for a set that is filled by hand.
        types: Message classes; without tf2_msgs nothing is heard.
    """

    def __init__(self, node: SubscribingNode | None, types: MessageTypes) -> None:
        self._poses: dict[str, tuple[str, Pose]] = {}
        self.is_listening = False
        if node is not None and types.has(TF_MESSAGE):
            self.is_listening = True
            kind = types.find(TF_MESSAGE)
            node.create_subscription(kind, "/tf_static", self.take, _STATIC)
            node.create_subscription(kind, "/tf", self.take, _DEPTH)

    def take(self, message: Any) -> None:
        """Remember the transforms of a TFMessage; what is no transform is left out."""
        for entry in message.transforms:
            shift, turn = entry.transform.translation, entry.transform.rotation
            pose = np.eye(4)
            try:
                pose[:3, :3] = rotation_of((turn.x, turn.y, turn.z, turn.w))
            except ConfigError:
                continue
            pose[:3, 3] = (shift.x, shift.y, shift.z)
            self._poses[_plain(entry.child_frame_id)] = (_plain(entry.header.frame_id), pose)

    def knows(self, frame: str) -> bool:
        """Whether a transform of that frame has been heard."""
        return _plain(frame) in self._poses

    def pose(self, base: str, frame: str) -> CameraPose:
        """Where a camera sits.

        Args:
            base: The base frame.
            frame: The camera's optical frame.

        Raises:
            ConfigError: The frames are not connected, or the camera is not above the ground.
        """
        to_base, to_frame = self._ancestors(_plain(base)), self._ancestors(_plain(frame))
        common = next((name for name in to_frame if name in to_base), None)
        if common is None:
            raise ConfigError(self._missing(base, frame))
        pose = np.linalg.inv(to_base[common]) @ to_frame[common]
        return CameraPose(pose[:3, :3], pose[:3, 3])

    def _missing(self, base: str, frame: str) -> str:
        way = "set ground.camera_height_m and the angles, or publish the transform"
        if not self.is_listening and not self._poses:
            return f"tf2_msgs is not installed, so TF cannot say where the camera is; {way}"
        if not frame:
            return f"the images name no frame, so TF cannot say where the camera is; {way}"
        return f"TF has no way from {base!r} to {frame!r}; {way}"

    def _ancestors(self, frame: str) -> dict[str, Pose]:
        """Pose of a frame in each of the frames above it, itself first."""
        found: dict[str, Pose] = {}
        pose = np.eye(4)
        while frame not in found:
            found[frame] = pose
            if frame not in self._poses:
                break
            frame, step = self._poses[frame]
            pose = step @ pose
        return found


def _plain(frame: str) -> str:
    """Name of a frame as tf2 has it; tf allowed a slash before it."""
    return frame.removeprefix("/")
