# SPDX-License-Identifier: Apache-2.0
"""The stages that follow drawn maps from frame to frame, put together as the pipeline does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig, PipelineConfig, TrackConfig
from panoptic_ros.core.stream_state import StreamState
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.tracking.camera_motion import UNKNOWN
from panoptic_ros.core.types import Drivable, Panoptic, Track
from test.drawn.drawings import LABELS

FRAME_NS = 100_000_000


class Follower:
    """Objects and surface of one camera, out of maps in place of images.

    Args:
        tracking: Thresholds of continuity and tracker.
        drivable: Thresholds of the surface.
        labels: Classes of the maps.
    """

    def __init__(
        self,
        tracking: TrackConfig | None = None,
        drivable: DrivableConfig | None = None,
        labels: LabelSet = LABELS,
    ) -> None:
        config = PipelineConfig(
            tracking=tracking or TrackConfig(), drivable=drivable or DrivableConfig()
        )
        self.state = StreamState(labels, config)
        self.motion = UNKNOWN

    def objects(
        self,
        panoptic: Panoptic,
        stamp_ns: int,
        thumbnail: NDArray[np.uint8] | None = None,
    ) -> tuple[Track, ...]:
        """Follow the objects into the next frame; without a thumbnail the camera stands still."""
        is_new_stream = self._begin(panoptic, stamp_ns, thumbnail)
        return self.state.tracker.update(panoptic, stamp_ns, self.motion, is_new_stream)

    def surface(
        self,
        panoptic: Panoptic,
        stamp_ns: int,
        thumbnail: NDArray[np.uint8] | None = None,
    ) -> Drivable:
        """Follow the surface into the next frame; without a thumbnail the camera stands still."""
        is_new_stream = self._begin(panoptic, stamp_ns, thumbnail)
        return self.state.drivable_filter.update(panoptic, stamp_ns, self.motion, is_new_stream)

    def _begin(
        self, panoptic: Panoptic, stamp_ns: int, thumbnail: NDArray[np.uint8] | None
    ) -> bool:
        """Find the camera's motion; returns whether a new stream begins."""
        arrival = self.state.continuity.update(stamp_ns, panoptic.ids.shape)
        self.motion = UNKNOWN
        if thumbnail is not None:
            self.motion = self.state.ego_motion.update(thumbnail, panoptic, arrival.is_new_stream)
        return arrival.is_new_stream or self.motion.is_cut


def track_ids(
    follower: Tracker | Follower,
    *frames: Panoptic,
    start_ns: int = FRAME_NS,
    step_ns: int = FRAME_NS,
) -> list[list[int]]:
    """Track ids of each frame in order of its segments; 0 for a segment without one."""
    update = follower.update if isinstance(follower, Tracker) else follower.objects
    seen = []
    for number, frame in enumerate(frames):
        tracks = update(frame, start_ns + number * step_ns)
        assert [track.id for track in tracks] == sorted(track.id for track in tracks)
        of_segment = {track.segment.id: track.id for track in tracks}
        seen.append([of_segment.get(segment.id, 0) for segment in frame.segments])
    return seen
