# SPDX-License-Identifier: Apache-2.0
"""Where frames are, from /tf and /tf_static."""

from __future__ import annotations

from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.messages.clouds.transform_message import TF_MESSAGE, note_transforms
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.protocols import SubscribingNode
from panoptic_ros.ros.tf2_tree import Tf2Tree, tree_of

_DEPTH = 100
_STATIC = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=_DEPTH,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


class Transforms:
    """The transform of every frame to its parent, the newest and those of the last seconds.

    The executor's thread fills it, any thread may ask.

    Args:
        node: Who listens; None for a set that is filled by hand.
        types: Message classes; without tf2_msgs nothing is heard.

    Attributes:
        tree: What has been heard; tf2 keeps it where ``tf2_ros`` is installed.
    """

    def __init__(self, node: SubscribingNode | None, types: MessageTypes) -> None:
        self.tree, self._watch = tree_of(node)
        self.is_listening = False
        if node is not None and types.has(TF_MESSAGE):
            self.is_listening = True
            kind = types.find(TF_MESSAGE)
            node.create_subscription(kind, "/tf_static", self._take_static, _STATIC)
            node.create_subscription(kind, "/tf", self.take, _DEPTH)

    def take(self, message: Any) -> None:
        """Remember the transforms of a TFMessage; what is no transform is left out."""
        self._note(message, is_static=False)

    def knows(self, frame: str) -> bool:
        """Whether a transform of that frame has been heard."""
        return self.tree.knows(frame)

    def pose(self, base: str, frame: str) -> CameraPose:
        """Where a camera sits.

        Args:
            base: The base frame.
            frame: The camera's optical frame.

        Raises:
            ConfigError: The frames are not connected, or the camera is not above the ground.
        """
        pose = self.tree.pose(base, frame)
        if pose is None:
            raise ConfigError(self._missing(base, frame))
        return CameraPose(pose[:3, :3], pose[:3, 3])

    def _take_static(self, message: Any) -> None:
        self._note(message, is_static=True)

    def _note(self, message: Any, is_static: bool) -> None:
        note_transforms(self.tree, message, is_static)
        if isinstance(self.tree, Tf2Tree):
            self.tree.note_message(message, is_static)

    def _missing(self, base: str, frame: str) -> str:
        way = "set ground.camera_height_m and the angles, or publish the transform"
        if not self.is_listening and not len(self.tree):
            return f"tf2_msgs is not installed, so TF cannot say where the camera is; {way}"
        if not frame:
            return f"the images name no frame, so TF cannot say where the camera is; {way}"
        return f"TF has no way from {base!r} to {frame!r}; {way}"
