# SPDX-License-Identifier: Apache-2.0
"""Depth images to points, in metres (32FC1) or millimetres (16UC1), as REP-118 has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.cloud import PointCloud
from panoptic_ros.core.errors import CloudError, ConfigError
from panoptic_ros.messages.camera_info import camera_model
from panoptic_ros.messages.clouds.point_cloud import check_size
from panoptic_ros.messages.convert import stamp_ns
from panoptic_ros.messages.protocols import CameraInfo

ENCODINGS = {"32FC1": ("f4", 1.0), "16UC1": ("u2", 1e-3), "mono16": ("u2", 1e-3)}
"""NumPy's word for a depth, and its metres, by encoding."""


class DepthReader:
    """Reads the depth images of one camera; used by one thread.

    The directions of the pixels are worked out once per calibration.
    """

    def __init__(self) -> None:
        self._of: tuple[Any, ...] = ()
        self._ways = np.zeros((0, 3), np.float32)

    def to_cloud(
        self, message: Any, info: CameraInfo | None, step: int, most_points: int
    ) -> PointCloud:
        """Read a depth image as an organised cloud in its optical frame.

        Args:
            message: Image of rclpy or of ``rosbags``.
            info: CameraInfo of the depth camera, None where it is silent.
            step: Every so many rows and columns become points.
            most_points: An image with more is refused.

        Returns:
            A point per pixel; not a number where the depth is 0 or none.

        Raises:
            CloudError: The image is no depth image, does not hold what it says, or is too large;
                or the camera is not calibrated.
        """
        depth_m = _depth_m(message, step, most_points)
        size = int(message.height), int(message.width)
        ways = self._ways_of(info, size, step)
        points = ways * depth_m.reshape(-1, 1)
        header = message.header
        stamp, frame = stamp_ns(header), str(header.frame_id)
        return PointCloud(points, np.zeros(len(points), np.float32), depth_m.shape, stamp, frame)

    def _ways_of(
        self, info: CameraInfo | None, size: tuple[int, int], step: int
    ) -> NDArray[np.float32]:
        """Direction of every pixel with a depth of 1, (n, 3); not a number where none is seen."""
        if info is None:
            raise CloudError("the depth image has no camera_info beside it; publish one")
        try:
            camera = camera_model(info, size)
        except ConfigError as error:
            raise CloudError(f"depth image: {error}") from error
        matrices = camera.matrix.tobytes(), camera.distortion.tobytes()
        about = (camera.size, camera.model, *matrices, step)
        if about != self._of:
            y, x = np.mgrid[0 : size[0] : step, 0 : size[1] : step]
            rays = camera.rays(np.column_stack((x.ravel(), y.ravel())).astype(np.float64))
            with np.errstate(divide="ignore", invalid="ignore"):
                ways = np.where(rays[:, 2:] > 0, rays / rays[:, 2:], np.nan)
            self._of, self._ways = about, ways.astype(np.float32)
        return self._ways


def _depth_m(message: Any, step: int, most_points: int) -> NDArray[np.float32]:
    """Depth of every n-th pixel in metres, not a number for none, (h, w)."""
    encoding = str(message.encoding)
    if encoding not in ENCODINGS:
        raise CloudError(
            f"the depth image has encoding {encoding!r}, needs one of: {', '.join(ENCODINGS)}"
        )
    height, width, row_step = int(message.height), int(message.width), int(message.step)
    check_size(-(-height // step) * -(-width // step), most_points)
    kind, metres = ENCODINGS[encoding]
    dtype = np.dtype((">" if message.is_bigendian else "<") + kind)
    data = np.frombuffer(message.data, np.uint8)
    if row_step < width * dtype.itemsize or data.size < height * row_step:
        raise CloudError(
            f"the depth image says {width}x{height} in rows of {row_step} bytes, its data has "
            f"{data.size} bytes"
        )
    strides = row_step, dtype.itemsize
    pixels = np.ndarray((height, width), dtype, data.data if data.size else b"", strides=strides)
    depth: NDArray[np.float32] = pixels[::step, ::step].astype(np.float32) * np.float32(metres)
    depth[~(depth > 0)] = np.nan
    return depth
