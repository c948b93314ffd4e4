# SPDX-License-Identifier: Apache-2.0
"""Ids that stay with their object from frame to frame: online, deterministic, one camera."""

from panoptic_ros.core.tracking.track_record import MAX_ID
from panoptic_ros.core.tracking.tracker import Tracker

__all__ = ["MAX_ID", "Tracker"]
