# SPDX-License-Identifier: Apache-2.0
"""A drawn scene that a camera and a LiDAR see from different places, with exact depth and labels.

Boxes stand on a plane before a wall. Both sensors see it by casting rays, so that it is known of
every point what it lies on and whether the camera sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.cloud import PointCloud
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import VOID, Drivable, Frame, Panoptic, Segment, Track
from test.drawn.drawn_result import CAR, LABELS, ROAD, SKY

WALL = 3
"""Class of the wall: ``TRUCK`` of the drawn classes, without an object."""

SECOND = 1_000_000_000
CAMERA_SIZE, MAP_SIZE = (1242, 375), (256, 512)
CAMERA = CameraModel.of(CAMERA_SIZE, "plumb_bob", (720, 0, 621, 0, 720, 187, 0, 0, 1), ())
HEIGHT_M, WALL_M = 1.65, 60.0
"""Of the camera above the plane, and how far ahead the wall stands."""

LIDAR_M = np.array([-0.1, 0.35, -0.3])
"""The LiDAR in the camera's body axes: x ahead, y left, z up."""

TO_BODY = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Optical axes to body axes."""


@dataclass(frozen=True)
class Box:
    """An upright box on the plane; x ahead, y left of the camera, in metres.

    Attributes:
        x: Of its middle.
        y: Of its middle.
        length: Along x.
        width: Along y.
        height: Above the plane.
        window: (low, high) height of openings on all sides, through which one sees.
    """

    x: float
    y: float
    length: float = 4.2
    width: float = 1.8
    height: float = 1.5
    window: tuple[float, float] = (0.0, 0.0)

    @property
    def center(self) -> NDArray[np.float64]:
        """Its middle in the camera's body axes."""
        return np.array([self.x, self.y, self.height / 2 - HEIGHT_M])

    @property
    def size(self) -> NDArray[np.float64]:
        """Length, width and height."""
        return np.array([self.length, self.width, self.height])


CARS = (Box(9.0, 0.2), Box(14.0, -3.6), Box(22.0, 3.5), Box(30.0, 8.0), Box(18.0, 7.5, 6.0))


@dataclass(frozen=True, eq=False)
class Scene:
    """Boxes, and what the sensors see of them.

    Attributes:
        boxes: Car number ``i`` has track id ``10 + i``.
        stamp_ns: Of image and cloud.
        lidar_m: Where the LiDAR sits.
        step: Spacing of pixels and points, 1 for 131,072 and about 20,000.
    """

    boxes: tuple[Box, ...] = CARS
    stamp_ns: int = SECOND
    lidar_m: NDArray[np.float64] = field(default_factory=lambda: LIDAR_M)
    step: int = 1

    @property
    def camera_from_cloud(self) -> NDArray[np.float64]:
        """The LiDAR's axes are the camera's body axes."""
        pose = np.eye(4)
        pose[:3, :3] = TO_BODY.T
        pose[:3, 3] = TO_BODY.T @ self.lidar_m
        return pose

    def cast(
        self, origin: NDArray[np.float64], ways: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Distance along each way, (n, 3) in body axes, and what is hit.

        Returns:
            Infinite where nothing is hit. 0 sky, 1 road, 2 wall, 3.. the boxes.
        """
        reach, hit = np.full(len(ways), np.inf), np.zeros(len(ways), np.intp)
        with np.errstate(divide="ignore", invalid="ignore"):
            down = np.where(ways[:, 2] < 0, -(HEIGHT_M + origin[2]) / ways[:, 2], np.inf)
            wall = np.where(ways[:, 0] > 0, (WALL_M - origin[0]) / ways[:, 0], np.inf)
            wall[np.abs((origin + wall[:, None] * ways)[:, 2]) > 1.6] = np.inf
            found = [down, wall, *(_into(box, origin, ways) for box in self.boxes)]
        for number, distance in enumerate(found, start=1):
            is_nearer = distance < reach
            reach[is_nearer], hit[is_nearer] = distance[is_nearer], number
        return reach, hit

    def result(self) -> Result:
        """What a perfect network says about the image."""
        height, width = MAP_SIZE[0] // self.step, MAP_SIZE[1] // self.step
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        scale = np.array(CAMERA_SIZE) / (width, height)
        pixels = np.column_stack((x.ravel(), y.ravel())) * scale - 0.5
        _, hit = self.cast(np.zeros(3), CAMERA.rays(pixels) @ TO_BODY.T)
        return result_of(hit.reshape(height, width), len(self.boxes), self.stamp_ns)

    def cloud(self) -> tuple[PointCloud, NDArray[np.intp]]:
        """About 20,000 points, and what each lies on."""
        azimuth, elevation = np.meshgrid(
            np.radians(np.arange(-42.0, 42.0, 0.17 * self.step)),
            np.radians(np.arange(-16.0, 2.0, 0.42)),
        )
        flat, up, side = np.cos(elevation), np.sin(elevation), np.sin(azimuth)
        ways = np.stack((flat * np.cos(azimuth), flat * side, up), axis=-1).reshape(-1, 3)
        reach, hit = self.cast(self.lidar_m, ways)
        ways[~np.isfinite(reach)] = np.nan
        points = np.where(np.isfinite(reach), reach, 0.0)[:, None] * ways
        intensity = np.arange(len(points), dtype=np.float32)
        return PointCloud(
            points.astype(np.float32), intensity, azimuth.shape, self.stamp_ns, "lidar"
        ), hit

    def behind_m(self, cloud: PointCloud) -> NDArray[np.float64]:
        """How far each point lies behind what the camera sees; 0 for what it does see."""
        body = cloud.points.astype(np.float64) + self.lidar_m
        away = np.linalg.norm(body, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            reach, _ = self.cast(np.zeros(3), body / away[:, None])
            return np.asarray(np.where(away - reach > 1e-3 * away, away - reach, 0.0))


def result_of(hit: NDArray[np.intp], count: int, stamp_ns: int) -> Result:
    """Give the result that shows, at each map pixel, what was hit."""
    classes = np.array([SKY, ROAD, WALL, *[CAR] * count], np.uint8)
    labels = classes[hit]
    ids = np.where(hit > 2, hit - 2, 0).astype(np.uint16)
    segments = []
    for number in range(1, count + 1):
        rows, columns = np.nonzero(ids == number)
        box = (0, 0, 0, 0)
        if rows.size:
            box = (
                int(columns.min()),
                int(rows.min()),
                int(columns.max()) + 1,
                int(rows.max()) + 1,
            )
        segments.append(Segment(number, CAR, 0.9, rows.size, box))
    tracks = tuple(Track(9 + one.id, one, CAR, 0.9, stamp_ns) for one in segments if one.area)
    mask = labels == ROAD
    confidence = np.where(labels == VOID, 0, 220).astype(np.uint8)
    boundary = np.full(labels.shape[1], -1, np.int32)
    drivable = Drivable(mask, np.where(mask, 200, 0).astype(np.uint8), boundary)
    image = np.zeros((CAMERA_SIZE[1], CAMERA_SIZE[0], 3), np.uint8)
    panoptic = Panoptic(labels, ids, confidence, tuple(segments))
    return Result(Frame(image, stamp_ns, "camera"), panoptic, tracks, drivable, label_set=LABELS)


def _into(box: Box, origin: NDArray[np.float64], ways: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance to the shell of a box, infinite beside it and through its windows."""
    low, high = box.center - box.size / 2, box.center + box.size / 2
    first, second = (low - origin) / ways, (high - origin) / ways
    lower, upper = np.minimum(first, second), np.maximum(first, second)
    near = np.fmax(np.fmax(lower[:, 0], lower[:, 1]), lower[:, 2])
    far = np.fmin(np.fmin(upper[:, 0], upper[:, 1]), upper[:, 2])
    near = np.where((near <= far) & (near > 0), near, np.inf)
    if box.window[1] > box.window[0]:
        for distance in (near, far):
            z = origin[2] + distance * ways[:, 2] + HEIGHT_M
            is_open = (z > box.window[0]) & (z < box.window[1])
            near = np.where(is_open & (distance == near), far, near)
            near = np.where(is_open & (distance == far) & (near == far), np.inf, near)
    return np.asarray(near)
