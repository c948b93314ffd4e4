# SPDX-License-Identifier: Apache-2.0
"""The surface on the ground as messages: grid, outline, laser scan, points."""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np

from panoptic_ros.core.ground.laser_scan import laser_scan_of
from panoptic_ros.messages.context import GroundContext

GRID = "nav_msgs/msg/OccupancyGrid"
POLYGON = "geometry_msgs/msg/PolygonStamped"
SCAN = "sensor_msgs/msg/LaserScan"
POINTS = "sensor_msgs/msg/PointCloud2"

OUTLINE_ERROR_M = 0.05
"""How far the outline may lie beside the columns' ends: fewer points, cheaper messages."""

_POINT = np.dtype(
    {
        "names": ["x", "y", "z", "label"],
        "formats": [np.float32, np.float32, np.float32, np.uint8],
        "offsets": [0, 4, 8, 12],
        "itemsize": 16,
    }
)
_FLOAT32, _UINT8 = 7, 2
"""``datatype`` of a PointField."""


def grid_message(context: GroundContext) -> Any:
    """Build an OccupancyGrid; its rows run to the left, its columns ahead."""
    result, types = context.result, context.types
    stamp_ns = result.frame.stamp_ns
    grid = context.ground.grid(result.panoptic, result.drivable, stamp_ns, context.points)
    rows, columns = grid.cells.shape
    x, y = grid.origin_m
    origin = types.make(
        "geometry_msgs/msg/Pose",
        position=types.make("geometry_msgs/msg/Point", x=x, y=y, z=0.0),
        orientation=types.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
    )
    info = types.make(
        "nav_msgs/msg/MapMetaData",
        map_load_time=context.header.stamp,
        resolution=grid.resolution_m,
        width=columns,
        height=rows,
        origin=origin,
    )
    return types.make(GRID, header=context.header, info=info, data=types.numbers(grid.cells))


def boundary_message(context: GroundContext) -> Any:
    """Build a PolygonStamped of the free space's outline."""
    types = context.types
    outline = context.boundary.polygon().astype(np.float32)
    corners = cv2.approxPolyDP(outline, OUTLINE_ERROR_M, True) if len(outline) else outline
    point = types.find("geometry_msgs/msg/Point32")
    points = [point(x=x, y=y, z=0.0) for x, y in corners.reshape(-1, 2).tolist()]
    polygon = types.make("geometry_msgs/msg/Polygon", points=points)
    return types.make(POLYGON, header=context.header, polygon=polygon)


def scan_message(context: GroundContext) -> Any:
    """Build a LaserScan; nothing within the range is infinite, as REP-117 says."""
    scan, ground = laser_scan_of(context.boundary), context.ground
    last_rad = scan.first_rad + scan.step_rad * max(0, scan.ranges_m.size - 1)
    return context.types.make(
        SCAN,
        header=context.header,
        angle_min=scan.first_rad,
        angle_max=last_rad,
        angle_increment=scan.step_rad,
        time_increment=0.0,
        scan_time=0.0,
        range_min=0.0,
        # Seen from the base frame, what the camera sees may lie a little farther.
        range_max=ground.config.length_m + float(np.hypot(*ground.camera_m)),
        ranges=context.types.numbers(scan.ranges_m),
        intensities=context.types.numbers(np.zeros(0, np.float32)),
    )


def points_message(context: GroundContext) -> Any:
    """Build a PointCloud2 of the places where something ends the free space, and what it is."""
    boundary, types = context.boundary, context.types
    points = np.zeros(int(boundary.is_end.sum()), _POINT)
    points["x"], points["y"] = boundary.points_m[boundary.is_end].T
    points["label"] = boundary.ends[boundary.is_end]
    kinds = {"x": _FLOAT32, "y": _FLOAT32, "z": _FLOAT32, "label": _UINT8}
    fields = [
        types.make(
            "sensor_msgs/msg/PointField", name=name, offset=4 * number, datatype=kind, count=1
        )
        for number, (name, kind) in enumerate(kinds.items())
    ]
    return types.make(
        POINTS,
        header=context.header,
        height=1,
        width=points.size,
        fields=fields,
        is_bigendian=sys.byteorder == "big",
        point_step=_POINT.itemsize,
        row_step=points.nbytes,
        data=types.payload(points.view(np.uint8)),
        is_dense=True,
    )
