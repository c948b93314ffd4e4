# SPDX-License-Identifier: Apache-2.0
"""Everything that the frames of one camera leave behind for those to come."""

from __future__ import annotations

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.view import CameraView
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.core.continuity import Continuity
from panoptic_ros.core.drivable.filter import DrivableFilter
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.tracking.ego_motion import EgoMotion


class StreamState:
    """The memory of one camera's stream.

    Made by ``Pipeline.new_state``, owned by the caller and used by one thread at a time.

    Args:
        labels: The model's classes.
        config: Thresholds.
        camera: What is said about the camera.

    Attributes:
        view: How its images are taken.
        continuity: Judges the stamps.
        ego_motion: Reads the camera's own motion.
        tracker: Follows the objects.
        drivable_filter: Follows the surface.

    Raises:
        ConfigError: ``drivable.optional_classes`` does not fit the model's classes, or the own
            vehicle's mask cannot be read.
    """

    def __init__(
        self, labels: LabelSet, config: PipelineConfig, camera: CameraConfig | None = None
    ) -> None:
        self._config = config
        self.view = CameraView(camera)
        self.continuity = Continuity(config.tracking)
        self.ego_motion = EgoMotion()
        self.tracker = Tracker(config.tracking, labels)
        self.drivable_filter = DrivableFilter(labels, config.drivable)

    def configure(self, config: PipelineConfig) -> None:
        """Replace the thresholds; ids and what is known of the surface are kept."""
        if config is self._config:
            return
        self._config = config
        self.continuity.configure(config.tracking)
        self.tracker.configure(config.tracking)
        self.drivable_filter.configure(config.drivable)

    def look_through(self, view: CameraView) -> None:
        """Take the next images in another way; what was seen of another part is forgotten."""
        before, now = self.view.config, view.config
        if (before.region, before.rotation) != (now.region, now.rotation):
            self.reset()
        view.camera_size = self.view.camera_size
        self.view = view

    def reset(self) -> None:
        """Start anew with the next frame; ids given so far are the last to be given again."""
        self.continuity.reset()
