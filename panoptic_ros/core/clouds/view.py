# SPDX-License-Identifier: Apache-2.0
"""Where the points of a cloud appear in a camera's map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.ground.camera_model import FISHEYE, CameraModel

_NEAREST_M = 0.05
"""What is in view lies farther ahead of the camera than that."""

_STEP_M = 0.01
_FARTHEST = np.iinfo(np.uint16).max


@dataclass(frozen=True, eq=False)
class View:
    """The points of a cloud that a camera has in view.

    Attributes:
        index: Which points of the cloud, ascending, (m,) intp.
        pixels: Flat index of each in the map, (m,) intp.
        range_m: Their distance from the camera, (m,) float32.
        by_range: Places in ``index`` from the nearest to the farthest point, to a centimetre,
            (m,) intp.
        size: (height, width) of the map.
    """

    index: NDArray[np.intp]
    pixels: NDArray[np.intp]
    range_m: NDArray[np.float32]
    by_range: NDArray[np.intp]
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.index)


def view_of(
    points: NDArray[np.float32],
    camera_from_cloud: NDArray[np.float64],
    camera: CameraModel,
    size: tuple[int, int],
) -> View:
    """Find the map pixel that shows each point.

    A point has the pixel that ``Result.semantic`` has at the camera pixel where it appears.

    Args:
        points: (n, 3) in the cloud's frame; those that are not a number are in no view.
        camera_from_cloud: Takes them into the optical frame, (4, 4).
        camera: The calibration.
        size: (height, width) of the map.
    """
    turn, shift = camera_from_cloud[:3, :3], camera_from_cloud[:3, 3:]
    height, width = size
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        optical = turn.astype(np.float32) @ np.ascontiguousarray(points.T)
        optical += shift.astype(np.float32)
        x, y = _map_places(optical, camera, size)
        # Comparisons with what is not a number are false.
        is_seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    index = np.flatnonzero(is_seen)
    pixels = y.take(index).astype(np.int32) * np.int32(width) + x.take(index).astype(np.int32)
    range_m = np.sqrt(np.einsum("ij,ij->j", optical, optical).take(index))
    # Radix sort takes numbers of 16 bits in linear time.
    steps = np.minimum(range_m * np.float32(1 / _STEP_M), _FARTHEST).astype(np.uint16)
    return View(index, pixels.astype(np.intp), range_m, np.argsort(steps, kind="stable"), size)


def _map_places(
    optical: NDArray[np.float32], camera: CameraModel, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row of each point, (3, n), in the map; the first pixel's middle is at 0.5."""
    scale_x, scale_y = size[1] / camera.size[0], size[0] / camera.size[1]
    if camera.model == FISHEYE or camera.distortion.any():
        pixels = (camera.project(optical.T.astype(np.float64)) + 0.5).astype(np.float32)
        return pixels[:, 0] * np.float32(scale_x), pixels[:, 1] * np.float32(scale_y)
    (fx, skew, cx), (turned_skew, fy, cy), _ = camera.matrix
    x, y, z = optical
    slope_x, slope_y = x / z, y / z
    column = slope_x * np.float32(fx * scale_x) + np.float32((cx + 0.5) * scale_x)
    if skew:
        column += slope_y * np.float32(skew * scale_x)
    column[~(z > _NEAREST_M)] = np.nan
    row = slope_y * np.float32(fy * scale_y) + np.float32((cy + 0.5) * scale_y)
    if turned_skew:
        row += slope_x * np.float32(turned_skew * scale_y)
    return column, row
