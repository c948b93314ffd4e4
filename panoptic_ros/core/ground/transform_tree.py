# SPDX-License-Identifier: Apache-2.0
"""Where frames are, and where they were some seconds ago."""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Pose = NDArray[np.float64]
"""(4, 4): points of a frame -> its parent's."""

HISTORY_NS = 10_000_000_000
"""So much of a moving frame's past is kept."""


@dataclass(eq=False)
class _Frame:
    """A frame in its parent; the lists are empty where it never moves.

    Attributes:
        parent: Its parent's name.
        pose: The newest.
        stamps_ns: Ascending.
        poses: One for each stamp.
    """

    parent: str
    pose: Pose
    stamps_ns: list[int] = field(default_factory=list)
    poses: list[Pose] = field(default_factory=list)

    def note(self, pose: Pose, stamp_ns: int) -> None:
        """Take in the pose at a time; one before the last starts the past anew."""
        if self.stamps_ns and stamp_ns <= self.stamps_ns[-1]:
            keep = bisect_left(self.stamps_ns, stamp_ns)
            del self.stamps_ns[keep:], self.poses[keep:]
        self.pose = pose
        self.stamps_ns.append(stamp_ns)
        self.poses.append(pose)
        old = bisect_left(self.stamps_ns, stamp_ns - HISTORY_NS)
        del self.stamps_ns[:old], self.poses[:old]

    def at(self, stamp_ns: int | None) -> Pose:
        """The pose at a time, the newest for None; nothing is foretold."""
        if stamp_ns is None or not self.stamps_ns:
            return self.pose
        after = bisect_left(self.stamps_ns, stamp_ns)
        if after == len(self.stamps_ns):
            return self.poses[-1]
        if after == 0:
            return self.poses[0]
        start, end = self.stamps_ns[after - 1], self.stamps_ns[after]
        return between(
            self.poses[after - 1], self.poses[after], (stamp_ns - start) / (end - start)
        )


class TransformTree:
    """Transforms of frames to their parents; any thread may fill it and ask."""

    def __init__(self) -> None:
        self._frames: dict[str, _Frame] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, child: str, parent: str, pose: Pose, stamp_ns: int | None = None) -> None:
        """Note where a frame is.

        Args:
            child: Its name; a slash before it means nothing, as in tf2.
            parent: Its parent's name.
            pose: Takes points of the child into the parent, (4, 4).
            stamp_ns: When that was true; None for always.
        """
        child, parent = plain(child), plain(parent)
        with self._lock:
            known = self._frames.get(child)
            if known is None or known.parent != parent or stamp_ns is None:
                known = self._frames[child] = _Frame(parent, pose)
            if stamp_ns is not None:
                known.note(pose, stamp_ns)

    def knows(self, frame: str) -> bool:
        """Whether there is a transform of that frame."""
        return plain(frame) in self._frames

    def names(self, frame: str) -> bool:
        """Whether a transform is about that frame, be it as the child or as the parent."""
        with self._lock:
            parents = {known.parent for known in self._frames.values()}
        return self.knows(frame) or plain(frame) in parents

    def pose(self, base: str, frame: str, stamp_ns: int | None = None) -> Pose | None:
        """Give what takes points of a frame into a base frame.

        Args:
            base: The base frame.
            frame: The other frame.
            stamp_ns: At which time; None for the newest transforms.

        Returns:
            (4, 4); None where the frames are not connected.
        """
        with self._lock:
            to_base = self._ancestors(plain(base), stamp_ns)
            to_frame = self._ancestors(plain(frame), stamp_ns)
        common = next((name for name in to_frame if name in to_base), None)
        if common is None:
            return None
        return np.asarray(np.linalg.inv(to_base[common]) @ to_frame[common])

    def _ancestors(self, frame: str, stamp_ns: int | None) -> dict[str, Pose]:
        """Pose of a frame in each of the frames above it, itself first."""
        found: dict[str, Pose] = {}
        pose = np.eye(4)
        while frame not in found:
            found[frame] = pose
            if frame not in self._frames:
                break
            above = self._frames[frame]
            frame, pose = above.parent, above.at(stamp_ns) @ pose
        return found


def between(first: Pose, second: Pose, share: float) -> Pose:
    """Give the pose on the way from one to another: straight on, turning evenly.

    Args:
        first: (4, 4).
        second: (4, 4).
        share: 0 for the first to 1 for the second.
    """
    turn = np.asarray(cv2.Rodrigues(first[:3, :3].T @ second[:3, :3])[0], np.float64)
    pose = np.eye(4)
    pose[:3, :3] = first[:3, :3] @ cv2.Rodrigues(share * turn)[0]
    pose[:3, 3] = (1 - share) * first[:3, 3] + share * second[:3, 3]
    return pose


def plain(frame: str) -> str:
    """Name of a frame as tf2 has it; tf allowed a slash before it."""
    return frame.removeprefix("/")
