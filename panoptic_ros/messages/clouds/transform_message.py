# SPDX-License-Identifier: Apache-2.0
"""TFMessage to poses."""

from __future__ import annotations

from typing import Any

import numpy as np

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.extrinsics import rotation_of
from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.convert import stamp_ns

TF_MESSAGE = "tf2_msgs/msg/TFMessage"


def note_transforms(tree: TransformTree, message: Any, is_static: bool) -> None:
    """Put the transforms of a TFMessage into a tree; what is no transform is left out.

    Args:
        tree: Takes them.
        message: Of rclpy or of ``rosbags``.
        is_static: Whether it came on ``/tf_static``.
    """
    for entry in message.transforms:
        shift, turn = entry.transform.translation, entry.transform.rotation
        pose = np.eye(4)
        try:
            pose[:3, :3] = rotation_of((turn.x, turn.y, turn.z, turn.w))
        except ConfigError:
            continue
        pose[:3, 3] = (shift.x, shift.y, shift.z)
        stamp = None if is_static else stamp_ns(entry.header)
        tree.put(str(entry.child_frame_id), str(entry.header.frame_id), pose, stamp)
