# SPDX-License-Identifier: Apache-2.0
"""A labelled cloud in the base frame, for the grid."""

from __future__ import annotations

import numpy as np

from panoptic_ros.core.clouds.cloud import LabelledCloud
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.core.ground.ground_points import GroundPoints
from panoptic_ros.core.types import VOID


def ground_points(labelled: LabelledCloud, pose: CameraPose) -> GroundPoints:
    """Take the points with a class into the base frame.

    Args:
        labelled: The cloud.
        pose: Of its result's camera.
    """
    view = labelled.view
    is_known = labelled.labels[view.index] != VOID
    index = view.index[is_known]
    turn = pose.rotation @ labelled.camera_from_cloud[:3, :3]
    shift = pose.rotation @ labelled.camera_from_cloud[:3, 3] + pose.position
    places = labelled.cloud.points[index] @ turn.T.astype(np.float32)
    places += shift.astype(np.float32)
    is_surface = labelled.result.drivable.mask.ravel()[view.pixels[is_known]]
    return GroundPoints(places, is_surface)
