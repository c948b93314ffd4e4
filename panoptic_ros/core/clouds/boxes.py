# SPDX-License-Identifier: Apache-2.0
"""Boxes around the points of every tracked object.

The direction of a box comes from the closeness criterion of Zhang, Xu, Dong and Dolan, Efficient
L-shape fitting for vehicle detection using laser scanners (2017), algorithms 2 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.cloud import LabelledCloud
from panoptic_ros.core.clouds.surface import GAP_M, GAP_SHARE
from panoptic_ros.core.types import Track

Vector = NDArray[np.float64]

NOISE_M = 0.03
"""Standard deviation of a point of a usual LiDAR."""

_LEAST_FOR_DIRECTION, _MOST_FOR_DIRECTION = 12, 100
_SMALL_M = 1.2
"""What is smaller both ways, such as a person, has no direction that could be seen."""

_MOST_POINTS = 1000
_LEAST_INNER = 0.25
"""Objects with a smaller share of points off their edge are too thin to lose those on it."""

_LEVEL = 1e-3
_TRIM = 0.01
_CLOSEST_M = 0.1
_ANGLES = np.radians(np.arange(0.0, 90.0, 3.0))


@dataclass(frozen=True, eq=False)
class ObjectBox:
    """The part of an object that the sensor sees, in the cloud's frame and in metres.

    Attributes:
        track: Whose points they are.
        count: Number of points.
        center: Middle of the box, (3,).
        size: Its length, width and height, (3,), above 0.
        axes: Columns are the directions of length, width and height, right-handed, (3, 3).
        distance_m: From the sensor's origin to the nearest part of the object.
        covariance: Of the center, (3, 3).
        velocity: Metres per second, (3,); not a number before it is known.
        velocity_covariance: Of the velocity, (3, 3).
    """

    track: Track
    count: int
    center: Vector
    size: Vector
    axes: Vector
    distance_m: float
    covariance: Vector
    velocity: Vector
    velocity_covariance: Vector


def boxes_of(labelled: LabelledCloud, up: Vector, least_points: int = 5) -> list[ObjectBox]:
    """Lay a box around the points of every track.

    Points on the edge of an object's mask may belong to what is around it and are left out, where
    it has others.

    Args:
        labelled: The cloud.
        up: Away from the ground, in the cloud's frame, (3,).
        least_points: Objects with fewer have no box.

    Returns:
        Boxes in order of the tracks' ids, without velocity.
    """
    level = _level_axes(labelled, up)
    pixel_rad = labelled.camera.size[0] / (labelled.view.size[1] * labelled.camera.matrix[0, 0])
    points = dict(_points_of_objects(labelled))
    return [
        _box(track, points[track.id] @ level, level, pixel_rad)
        for track in labelled.result.tracks
        if len(points.get(track.id, ())) >= least_points
    ]


def _points_of_objects(labelled: LabelledCloud) -> Iterator[tuple[int, Vector]]:
    """Track id and points in the cloud's frame, by id."""
    view = labelled.view
    ids = labelled.ids[view.index]
    chosen = np.flatnonzero(ids)
    order = chosen[np.argsort(ids[chosen], kind="stable")]
    inner = labelled.is_inner[order]
    starts = np.flatnonzero(np.diff(ids[order], prepend=0))
    ends = np.append(starts, order.size)[1:]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        own, kept = order[start:end], inner[start:end]
        is_thin = int(kept.sum()) < _LEAST_INNER * (end - start)
        used = own if is_thin else own[kept]
        index = view.index[used[:: -(-used.size // _MOST_POINTS)]]
        yield int(ids[order[start]]), labelled.cloud.points[index].astype(np.float64)


def _level_axes(labelled: LabelledCloud, up: Vector) -> Vector:
    """Axes in the cloud's frame: ahead as the camera looks but level, left, up; (3, 3) columns."""
    upward = up / np.linalg.norm(up)
    # Rows of the rotation are the camera's axes in the cloud's frame.
    _, down, forward = labelled.camera_from_cloud[:3, :3]
    ahead = forward - (forward @ upward) * upward
    if np.linalg.norm(ahead) < _LEVEL:
        # A camera that looks straight down has the upper edge of its image ahead.
        ahead = -down + (down @ upward) * upward
    ahead = ahead / np.linalg.norm(ahead)
    return np.column_stack((ahead, np.cross(upward, ahead), upward))


def _box(track: Track, points: Vector, level: Vector, pixel_rad: float) -> ObjectBox:
    """Lay a box around points (n, 3) that are given in level axes."""
    points = _connected(points)
    yaw = _direction(points[:, :2])
    turn = np.array(
        [[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]]
    )
    low, high = _extent(points @ turn)
    if high[0] - low[0] < high[1] - low[1]:
        turn = turn[:, [1, 0, 2]] * (-1.0 if yaw > 0 else 1.0, 1.0 if yaw > 0 else -1.0, 1.0)
        low, high = _extent(points @ turn)
    axes = level @ turn
    size = np.maximum(high - low, 2 * NOISE_M)
    center = axes @ (0.5 * (low + high))
    away = np.sqrt(np.einsum("ij,ij->i", points, points))
    distance_m = float(np.partition(away, int(_TRIM * away.size))[int(_TRIM * away.size)])
    covariance = _covariance(center, size, axes, pixel_rad, len(points))
    nothing = np.full((3, 3), np.nan)
    return ObjectBox(
        track, len(points), center, size, axes, distance_m, covariance, nothing[0], nothing
    )


def _connected(points: Vector) -> Vector:
    """Leave out what a gap, ahead or to the side, divides from most of the points."""
    allowed = GAP_M + GAP_SHARE * float(np.abs(points[:, :2]).max(initial=0.0))
    for axis in (0, 1):
        order = np.argsort(points[:, axis])
        breaks = np.flatnonzero(np.diff(points[order, axis]) > allowed) + 1
        if breaks.size:
            points = points[max(np.split(order, breaks), key=len)]
    return points


def _extent(points: Vector) -> tuple[Vector, Vector]:
    """Least and largest place along each axis, a few stray points left out."""
    ordered = np.sort(points, axis=0)
    trimmed = int(_TRIM * len(points))
    return ordered[trimmed], ordered[len(points) - 1 - trimmed]


def _direction(points: Vector) -> float:
    """Angle of one of the sides, seen from above, 0 up to a quarter turn; (n, 2) level points."""
    low, high = _extent(points)
    if len(points) < _LEAST_FOR_DIRECTION or (high - low).max() < _SMALL_M:
        return 0.0
    points = points[:: -(-len(points) // _MOST_FOR_DIRECTION)]
    first = _nearer_side(points @ np.array([np.cos(_ANGLES), np.sin(_ANGLES)]))
    second = _nearer_side(points @ np.array([-np.sin(_ANGLES), np.cos(_ANGLES)]))
    closeness = (1.0 / np.maximum(np.minimum(first, second), _CLOSEST_M)).sum(axis=0)
    return float(_ANGLES[int(closeness.argmax())])


def _nearer_side(places: Vector) -> Vector:
    """Distances from that end, for each angle, which is nearer to all; (n, angles)."""
    to_high, to_low = places.max(axis=0) - places, places - places.min(axis=0)
    is_high = np.einsum("ij,ij->j", to_high, to_high) < np.einsum("ij,ij->j", to_low, to_low)
    return np.asarray(np.where(is_high, to_high, to_low))


def _covariance(
    center: Vector, size: Vector, axes: Vector, pixel_rad: float, count: int
) -> Vector:
    """Covariance of the center of what is seen.

    Each end of the box is known as well as the points are dense, and to a pixel of the mask
    across the line of sight; what is not seen of the object is not in it.
    """
    along = NOISE_M**2 + size**2 / (6 * count)
    sight = center / max(float(np.linalg.norm(center)), NOISE_M)
    edge_m = pixel_rad * float(np.linalg.norm(center))
    across = (np.eye(3) - np.outer(sight, sight)) * edge_m**2 / 6
    return np.asarray(axes @ np.diag(along) @ axes.T + across)
