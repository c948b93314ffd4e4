# SPDX-License-Identifier: Apache-2.0
"""A point cloud, and what is known about its points once a result has been laid over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.view import View
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.result import Result


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points as a sensor sent them, all of them and in its order.

    Attributes:
        points: (n, 3) float32 in the cloud's frame, in metres; not a number where the sensor
            measured nothing.
        intensity: (n,) float32, 0 where the sensor tells none.
        shape: (height, width) of an organised cloud, (1, n) of another.
        stamp_ns: Time of the measurement in ns.
        frame_id: Frame of the points.
    """

    points: NDArray[np.float32]
    intensity: NDArray[np.float32]
    shape: tuple[int, int]
    stamp_ns: int
    frame_id: str = ""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False)
class LabelledCloud:
    """A cloud whose points have class and object.

    Points that the camera does not see, and those behind the surface that it sees, are void.

    Attributes:
        cloud: The points.
        labels: Class index, 255 void, (n,) uint8.
        ids: Track id, 0 for none, (n,) uint16.
        confidence: 0..255, how sure the class of the point's pixel is, 0 where void, (n,) uint8.
        view: Where the points appear in the result's map.
        is_inner: Of the points in view, whether the pixels around theirs show the same class and
            object, (len(view),) bool.
        result: What the labels come from.
        camera: Calibration of the result's camera.
        camera_from_cloud: Takes points of the cloud into the optical frame, (4, 4); holds the
            motion between the two stamps where that is known.
    """

    cloud: PointCloud
    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]
    confidence: NDArray[np.uint8]
    view: View
    is_inner: NDArray[np.bool_]
    result: Result
    camera: CameraModel
    camera_from_cloud: NDArray[np.float64]
