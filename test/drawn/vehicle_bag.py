# SPDX-License-Identifier: Apache-2.0
"""A bag of a vehicle: camera, LiDAR that sees a wall, and static transforms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.messages.camera_info import region_message
from panoptic_ros.messages.clouds.point_cloud import cloud_message
from panoptic_ros.messages.convert import image_message
from panoptic_ros.recordings.bag_writer import BagWriter, bag_types
from test.drawn.painted_engine import street
from test.drawn.transforms import TO_OPTICAL, transforms

TYPES = bag_types()
FRAMES, DEPTH_M, FOCAL = 5, 8.0, 100.0
SIZE = (96, 128)
CAR = (20, 52, 44, 68)
"""Box of the car in the first image."""
CAMERA_HEIGHT_M = 1.5
ON_THE_HEAD = (0.5, 0.5, 0.5, -0.5)
"""As ``TO_OPTICAL``, of a camera that hangs upside down."""
FROM_OPTICAL = (-0.5, 0.5, -0.5, 0.5)
"""From optical axes to those of the body."""
Turn = tuple[float, float, float, float]


def header(stamp_ns: int, frame: str) -> Any:
    stamp = TYPES.make(
        "builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    return TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame)


def middle(is_turned: bool) -> tuple[float, float]:
    """Principal point, (x, y)."""
    x, y = SIZE[1] / 2, SIZE[0] / 2
    return (SIZE[1] - 1 - x, SIZE[0] - 1 - y) if is_turned else (x, y)


def camera_info(stamp_ns: int, is_turned: bool = False) -> Any:
    x, y = middle(is_turned)
    return TYPES.make(
        "sensor_msgs/msg/CameraInfo",
        header=header(stamp_ns, "camera"),
        height=SIZE[0],
        width=SIZE[1],
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=np.array([FOCAL, 0, x, 0, FOCAL, y, 0, 0, 1.0]),
        r=np.eye(3).ravel(),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=region_message(TYPES),
    )


def tf_message(parent: str, child: str, turn: Turn, height_m: float = 0.0) -> Any:
    entry = transforms(parent, child, (0.0, 0.0, height_m), turn).transforms[0].transform
    moved = TYPES.make(
        "geometry_msgs/msg/Transform",
        translation=TYPES.make("geometry_msgs/msg/Vector3", **vars(entry.translation)),
        rotation=TYPES.make("geometry_msgs/msg/Quaternion", **vars(entry.rotation)),
    )
    stamped = TYPES.make(
        "geometry_msgs/msg/TransformStamped",
        header=header(10**9, parent),
        child_frame_id=child,
        transform=moved,
    )
    return TYPES.make("tf2_msgs/msg/TFMessage", transforms=[stamped])


def wall() -> tuple[Any, tuple[int, ...]]:
    """Points of a wall ahead, in axes of a LiDAR, and their organisation."""
    y, z = np.meshgrid(np.linspace(-5, 5, 60), np.linspace(-4, 4, 40))
    points = np.zeros(y.size, [(name, "f4") for name in ("x", "y", "z")])
    points["x"], points["y"], points["z"] = DEPTH_M, y.ravel(), z.ravel()
    return points, y.shape


def pixels_of(depth_m: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the upright camera sees the wall's points, x and y."""
    points, _ = wall()
    x, y = middle(is_turned=False)
    return x - FOCAL * points["y"] / depth_m, y - FOCAL * points["z"] / depth_m


def write_drive(
    path: Path, is_turned: bool = False, has_base: bool = False, mast: str = ""
) -> Path:
    """Write a camera at 10 Hz, and a LiDAR whose clouds are 20 ms later.

    Args:
        path: The MCAP file.
        is_turned: Whether the camera hangs upside down.
        has_base: Whether TF has the camera in ``base_link``.
        mast: Name of a frame that TF connects with something else; empty for none.
    """
    points, shape = wall()
    with BagWriter(path) as bag:
        turn = ON_THE_HEAD if is_turned else TO_OPTICAL
        bag.write("/tf_static", tf_message("camera", "lidar", turn), 10**9)
        if has_base:
            placed = tf_message("base_link", "camera", FROM_OPTICAL, CAMERA_HEIGHT_M)
            bag.write("/tf_static", placed, 10**9)
        if mast:
            bag.write("/tf_static", tf_message(mast, "antenna", FROM_OPTICAL), 10**9)
        for number in range(FRAMES):
            time_ns = 2 * 10**9 + number * 10**8
            pixels = street(10 + 3 * number, width=128, height=96)
            if is_turned:
                pixels = np.ascontiguousarray(pixels[::-1, ::-1])
            bag.write("/front/camera_info", camera_info(time_ns, is_turned), time_ns)
            image = image_message(pixels, "rgb8", TYPES, header(time_ns, "camera"))
            bag.write("/front/image_raw", image, time_ns)
            late_ns = time_ns + 20_000_000
            cloud = cloud_message(points, shape, TYPES, header(late_ns, "lidar"))
            bag.write("/lidar/points", cloud, late_ns)
    return path
