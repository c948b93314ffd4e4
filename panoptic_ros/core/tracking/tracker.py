# SPDX-License-Identifier: Apache-2.0
"""The tracker: prediction, association, memory, in this order for every frame."""

from __future__ import annotations

from operator import attrgetter

from panoptic_ros.core.classes.labels import UNNAMED, LabelSet
from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.tracking.association import Matches, associate
from panoptic_ros.core.tracking.camera_motion import UNKNOWN, CameraMotion
from panoptic_ros.core.tracking.segment_table import SegmentTable
from panoptic_ros.core.tracking.tracks import Tracks
from panoptic_ros.core.types import Panoptic, Track


class Tracker:
    """Follows the objects of one camera; used by one thread.

    Args:
        config: Thresholds.
        labels: The model's classes; their groups tell which of them are confused on one object,
            e.g. car and truck. None takes every class by itself, and lets any hide objects.
    """

    def __init__(self, config: TrackConfig, labels: LabelSet | None = None) -> None:
        self._config = config
        known = labels or UNNAMED
        self._groups, self._hiding = known.groups, known.hiding
        self._memory = Tracks()
        self._last_ns: int | None = None

    def configure(self, config: TrackConfig) -> None:
        """Replace the thresholds; ids are kept."""
        self._config = config

    def update(
        self,
        panoptic: Panoptic,
        stamp_ns: int,
        motion: CameraMotion = UNKNOWN,
        is_new_stream: bool = False,
    ) -> tuple[Track, ...]:
        """Follow the objects into the next frame.

        Args:
            panoptic: The frame's map; of the same size as the one before in the same stream.
            stamp_ns: Its time; not before that of the frame before in the same stream.
            motion: The camera's motion since the frame before, in map pixels.
            is_new_stream: Whether the frame has nothing to do with the one before, be it by its
                stamp or by a cut; forgets all tracks. Their ids are the last to be given again.

        Returns:
            The tracks that are seen in this frame, ordered by id. Segments that are too weak to
            start a track have none.
        """
        memory = self._memory
        if is_new_stream:
            memory.clear()
        seconds = self._seconds_until(stamp_ns, is_new_stream)
        memory.predict(motion, seconds)
        memory.drop_expired(stamp_ns, seconds, self._config.lost_after_s)
        seen = SegmentTable.of(panoptic.segments)
        found = self._associate(panoptic, seen)
        tracks = memory.update(panoptic, seen, found, stamp_ns, seconds)
        tracks += memory.spawn(panoptic, seen, found, stamp_ns, self._config.birth_score)
        memory.remember_pixels(panoptic, found, self._hiding)
        return tuple(sorted(tracks, key=attrgetter("id")))

    def _seconds_until(self, stamp_ns: int, is_new_stream: bool) -> float:
        """Seconds since the frame before, 0 where there is none."""
        before_ns, self._last_ns = self._last_ns, stamp_ns
        return 0.0 if before_ns is None or is_new_stream else (stamp_ns - before_ns) * 1e-9

    def _associate(self, panoptic: Panoptic, seen: SegmentTable) -> Matches:
        if len(self._memory) == 0 or len(seen) == 0:
            return Matches.none(len(self._memory), len(seen))
        evidence = self._memory.evidence(panoptic, seen, self._groups)
        return associate(evidence, self._config.min_iou)
