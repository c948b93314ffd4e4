# SPDX-License-Identifier: Apache-2.0
"""The surface on the ground as messages: grid, outline, laser scan, points."""

from __future__ import annotations

import array
import sys
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.ground.grid import Boundary, Grid
from panoptic_ros.core.ground.laser_scan import LaserScan
from panoptic_ros.messages.message_types import MessageTypes

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


def grid_message(grid: Grid, types: MessageTypes, header: Any) -> Any:
    """Build an OccupancyGrid; its rows run to the left, its columns ahead."""
    rows, columns = grid.cells.shape
    x, y = grid.origin_m
    origin = types.make(
        "geometry_msgs/msg/Pose",
        position=types.make("geometry_msgs/msg/Point", x=x, y=y, z=0.0),
        orientation=types.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
    )
    info = types.make(
        "nav_msgs/msg/MapMetaData",
        map_load_time=header.stamp,
        resolution=grid.resolution_m,
        width=columns,
        height=rows,
        origin=origin,
    )
    return types.make(GRID, header=header, info=info, data=_packed("b", grid.cells))


def polygon_message(boundary: Boundary, types: MessageTypes, header: Any) -> Any:
    """Build a PolygonStamped of the free space's outline."""
    outline = boundary.polygon().astype(np.float32)
    corners = cv2.approxPolyDP(outline, OUTLINE_ERROR_M, True) if len(outline) else outline
    point = types.find("geometry_msgs/msg/Point32")
    points = [point(x=x, y=y, z=0.0) for x, y in corners.reshape(-1, 2).tolist()]
    polygon = types.make("geometry_msgs/msg/Polygon", points=points)
    return types.make(POLYGON, header=header, polygon=polygon)


def scan_message(scan: LaserScan, range_m: float, types: MessageTypes, header: Any) -> Any:
    """Build a LaserScan; nothing within ``range_m`` is infinite, as REP-117 says."""
    last_rad = scan.first_rad + scan.step_rad * max(0, scan.ranges_m.size - 1)
    return types.make(
        SCAN,
        header=header,
        angle_min=scan.first_rad,
        angle_max=last_rad,
        angle_increment=scan.step_rad,
        time_increment=0.0,
        scan_time=0.0,
        range_min=0.0,
        range_max=range_m,
        ranges=_packed("f", scan.ranges_m),
        intensities=array.array("f"),
    )


def points_message(boundary: Boundary, types: MessageTypes, header: Any) -> Any:
    """Build a PointCloud2 of the places where something ends the free space, and what it is."""
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
        header=header,
        height=1,
        width=points.size,
        fields=fields,
        is_bigendian=sys.byteorder == "big",
        point_step=_POINT.itemsize,
        row_step=points.nbytes,
        data=types.payload(points.view(np.uint8)),
        is_dense=True,
    )


def _packed(kind: str, values: NDArray[Any]) -> array.array[Any]:
    # Any other type than array.array is checked value by value.
    packed = array.array(kind)
    packed.frombytes(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return packed
