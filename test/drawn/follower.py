# SPDX-License-Identifier: Apache-2.0
"""The stages that follow drawn maps from frame to frame, put together as the pipeline does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import DrivableConfig, PipelineConfig, TrackConfig
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.stream_state import StreamState
from panoptic_ros.core.tracking.camera_motion import UNKNOWN, CameraMotion
from panoptic_ros.core.types import Drivable, Panoptic, Track
from test.drawn.drawings import LABELS


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
        is_new_stream = self._is_new_stream(panoptic, stamp_ns)
        self.motion = self._motion(panoptic, thumbnail, is_new_stream)
        return self.state.tracker.update(panoptic, stamp_ns, self.motion, is_new_stream)

    def surface(self, panoptic: Panoptic, stamp_ns: int) -> Drivable:
        """Follow the surface into the next frame of a camera that stands still."""
        is_new_stream = self._is_new_stream(panoptic, stamp_ns)
        return self.state.drivable_filter.update(panoptic, stamp_ns, UNKNOWN, is_new_stream)

    def _is_new_stream(self, panoptic: Panoptic, stamp_ns: int) -> bool:
        return self.state.continuity.update(stamp_ns, panoptic.ids.shape).is_new_stream

    def _motion(
        self, panoptic: Panoptic, thumbnail: NDArray[np.uint8] | None, is_new_stream: bool
    ) -> CameraMotion:
        if thumbnail is None:
            return UNKNOWN
        return self.state.ego_motion.update(thumbnail, panoptic, is_new_stream)
