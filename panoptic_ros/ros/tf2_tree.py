# SPDX-License-Identifier: Apache-2.0
"""Transforms kept by tf2 itself, where the distribution has its Python package.

Source: tf2_ros.Buffer, https://github.com/ros2/geometry2.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from rclpy.time import Time

from panoptic_ros.core.ground.extrinsics import rotation_of
from panoptic_ros.core.ground.transform_tree import Pose, TransformTree, plain
from panoptic_ros.ros.watches.clock_watch import on_jump_back

_AUTHORITY = "panoptic_ros"


class Tf2Tree(TransformTree):
    """A tree that asks tf2 first, which interpolates between the transforms of a frame.

    Where tf2 refuses, as for a time after the newest transform of any frame on the way, the
    transforms of the tree answer: nothing is foretold, and each frame is where it was last.

    Args:
        buffer: A ``tf2_ros.Buffer``, or what does the same.
        refusal: What it raises where it cannot answer.
    """

    def __init__(self, buffer: Any, refusal: type[Exception]) -> None:
        super().__init__()
        self._buffer = buffer
        self._refusal = refusal

    def note_message(self, message: Any, is_static: bool) -> None:
        """Hand the transforms of a TFMessage to tf2, which leaves out what is no transform."""
        buffer = self._buffer
        put = buffer.set_transform_static if is_static else buffer.set_transform
        for entry in message.transforms:
            put(entry, _AUTHORITY)

    def pose(self, base: str, frame: str, stamp_ns: int | None = None) -> Pose | None:
        """As of ``TransformTree``."""
        # The time 0 is the newest to tf2.
        time = Time(nanoseconds=stamp_ns or 0)
        try:
            found = self._buffer.lookup_transform(plain(base), plain(frame), time)
        except self._refusal:
            return super().pose(base, frame, stamp_ns)
        turn, shift = found.transform.rotation, found.transform.translation
        pose = np.eye(4)
        pose[:3, :3] = rotation_of((turn.x, turn.y, turn.z, turn.w))
        pose[:3, 3] = (shift.x, shift.y, shift.z)
        return pose


def tree_of(node: Any) -> tuple[TransformTree, Any]:
    """Make the tree for a node: tf2's where it is installed, else our own.

    Args:
        node: Whose clock empties tf2's buffer when it jumps back; None for a tree of our own.

    Returns:
        The tree, and what must be kept as long as it.
    """
    if node is None:
        return TransformTree(), None
    try:
        tf2 = importlib.import_module("tf2_ros")
    except ImportError:
        return TransformTree(), None
    buffer = tf2.Buffer()
    return Tf2Tree(buffer, tf2.TransformException), on_jump_back(node, buffer.clear)
