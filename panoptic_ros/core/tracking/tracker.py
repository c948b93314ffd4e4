# SPDX-License-Identifier: Apache-2.0
"""The tracker: camera motion, prediction, association, memory, in this order for every frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes import class_groups, hiding_classes
from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.tracking.association import Matches, associate
from panoptic_ros.core.tracking.camera_motion import UNKNOWN, CameraMotion
from panoptic_ros.core.tracking.ego_motion import MotionImage, is_cut, motion_between
from panoptic_ros.core.tracking.segment_table import SegmentTable
from panoptic_ros.core.tracking.tracks import Tracks
from panoptic_ros.core.types import Panoptic, Track


class Tracker:
    """Follows the objects of one camera; used by one thread.

    Args:
        config: Thresholds.
        labels: The model's classes; their names tell which of them are confused on one object,
            e.g. car and truck. None takes every class by itself.
    """

    def __init__(self, config: TrackConfig, labels: LabelSet | None = None) -> None:
        self._config = config
        self._groups = class_groups(labels)
        self._hiding = hiding_classes(labels)
        self._memory = Tracks()
        self._shape: tuple[int, ...] | None = None
        self._image: MotionImage | None = None
        self._movers: NDArray[np.bool_] | None = None
        self._motion = UNKNOWN
        self._last_ns = 0

    def configure(self, config: TrackConfig) -> None:
        """Exchange the thresholds; ids are kept."""
        self._config = config

    def reset(self) -> None:
        """Forget all tracks; their ids are the last to be given again."""
        self._memory.clear()
        self._shape = None
        self._image = None
        self._motion = UNKNOWN

    @property
    def motion(self) -> CameraMotion:
        """How the camera moved into the last frame; unknown after the first one."""
        return self._motion

    def update(
        self,
        panoptic: Panoptic,
        stamp_ns: int,
        thumbnail: NDArray[np.uint8] | None = None,
        motion: CameraMotion | None = None,
    ) -> tuple[Track, ...]:
        """Follow the objects into the next frame.

        Args:
            panoptic: The frame's map.
            stamp_ns: Its time. One that runs backwards (a bag that starts again), a long gap or
                another map size forgets all tracks.
            thumbnail: Small grey image of the frame, (h, w) uint8, any fixed size; gives the
                camera's motion, and forgets all tracks when the scene is cut. None takes the
                camera as still.
            motion: The camera's motion since the frame before, in map pixels, where odometry or
                an IMU knows it; None looks for it in the thumbnails.

        Returns:
            The tracks that are seen in this frame, ordered by id. Segments that are too weak to
            start a track have none.
        """
        self._reset_if_broken(panoptic.ids.shape, stamp_ns)
        seconds = 0.0 if self._shape is None else (stamp_ns - self._last_ns) * 1e-9
        self._find_motion(panoptic.ids.shape, thumbnail, motion)
        memory = self._memory
        memory.predict(self._motion, seconds)
        memory.drop_expired(stamp_ns, seconds, self._config.lost_after_s)
        seen = SegmentTable.of(panoptic.segments)
        found = self._associate(panoptic, seen)
        tracks = memory.update(panoptic, seen, found, stamp_ns, seconds)
        tracks += memory.spawn(panoptic, seen, found, stamp_ns, self._config.birth_score)
        memory.remember_pixels(panoptic, found, self._hiding)
        self._shape, self._last_ns = panoptic.ids.shape, stamp_ns
        self._movers = None if thumbnail is None else _movers(panoptic, thumbnail.shape)
        return tuple(sorted(tracks, key=lambda track: track.id))

    def _reset_if_broken(self, shape: tuple[int, ...], stamp_ns: int) -> None:
        if self._shape is None:
            return
        gap_s = (stamp_ns - self._last_ns) * 1e-9
        if self._shape != shape or gap_s < 0 or gap_s > self._config.reset_gap_s:
            self.reset()

    def _find_motion(
        self,
        shape: tuple[int, ...],
        thumbnail: NDArray[np.uint8] | None,
        motion: CameraMotion | None,
    ) -> None:
        before = self._image
        self._image = None if thumbnail is None else MotionImage.of(thumbnail)
        if self._shape is None:
            self._motion = UNKNOWN
        elif motion is not None:
            self._motion = motion
        else:
            self._motion = motion_between(before, self._image, shape, self._movers, self._motion)
            if not self._motion.is_known and is_cut(before, self._image):
                self._memory.clear()

    def _associate(self, panoptic: Panoptic, seen: SegmentTable) -> Matches:
        if len(self._memory) == 0 or len(seen) == 0:
            return Matches.none(len(self._memory), len(seen))
        evidence = self._memory.evidence(panoptic, seen, self._groups)
        return associate(evidence, self._config.min_iou)


def _movers(panoptic: Panoptic, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where a thumbnail shows objects, at half its size."""
    size = (max(1, shape[1] // 2), max(1, shape[0] // 2))
    objects = cv2.resize(panoptic.ids, size, interpolation=cv2.INTER_NEAREST) > 0
    # Their outlines, blurred, reach farther than they do.
    return cv2.dilate(objects.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
