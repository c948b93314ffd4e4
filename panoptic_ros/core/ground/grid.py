# SPDX-License-Identifier: Apache-2.0
"""The surface on the ground: which cells are free, how far one can go, seen from above in metres.

Inverse perspective mapping: where each pixel's ray meets the ground plane is worked out once per
camera and kept in tables, so that a frame costs look-ups only.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extent import grid_shape
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.core.ground.ground_points import GroundPoints
from panoptic_ros.core.types import VOID, Drivable, Panoptic

FREE, OCCUPIED, UNKNOWN = 0, 100, -1
"""Cell values as nav_msgs/OccupancyGrid has them."""

_NEVER_NS = int(np.iinfo(np.int64).min) // 2


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells of the ground in the base frame.

    Attributes:
        cells: ``FREE``, ``OCCUPIED``, ``UNKNOWN`` or a fading 1..99, (rows, columns) int8; columns
            run ahead (x), rows to the left (y).
        resolution_m: Side of a cell.
        origin_m: (x, y) of the outer corner of ``cells[0, 0]``.
    """

    cells: NDArray[np.int8]
    resolution_m: float
    origin_m: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Boundary:
    """Where the free space ends, one point per map column from left to right, in the base frame.

    Attributes:
        points_m: (n, 2): x, y.
        is_end: Whether something within the range ends the free space there, (n,).
        ends: Class index of what ends it, 255 unknown, (n,) uint8.
        foot_m: (n, 2): where the column's free space begins, at the image's lower edge or the own
            vehicle's upper one.
    """

    points_m: NDArray[np.float64]
    is_end: NDArray[np.bool_]
    ends: NDArray[np.uint8]
    foot_m: NDArray[np.float64]

    def polygon(self) -> NDArray[np.float64]:
        """Outline of the free space, (2 n, 2): far side left to right, near side back."""
        return np.concatenate((self.points_m, self.foot_m[::-1]))


@dataclass(frozen=True, eq=False)
class _Tables:
    """Where map pixels and ground places meet, for one size of maps.

    Attributes:
        middles: Map pixel (flat index) that shows the middle of each cell, -1 for none.
        corners: The same of the cells' corners, one more each way.
        edges: Ground (x, y) seen at the upper edge of each row in the middle of each column,
            (h + 1, w, 2); what lies farther than the range or above the horizon is at the range.
        is_far: Whether it is that, (h + 1, w).
    """

    middles: NDArray[np.intp]
    corners: NDArray[np.intp]
    edges: NDArray[np.float32]
    is_far: NDArray[np.bool_]


class Ground:
    """Lays the surface of one camera on the ground; used by one thread.

    Args:
        camera: Its calibration.
        pose: Where it sits.
        config: Extent, resolution and fading.

    Attributes:
        camera: Its calibration.
        pose: Where it sits.
        origin_m: (x, y) of the grid's outer corner in the base frame.
        camera_m: (x, y) of the camera.

    Raises:
        ConfigError: The grid has too many cells.
    """

    def __init__(self, camera: CameraModel, pose: CameraPose, config: GroundConfig) -> None:
        self.camera = camera
        self.pose = pose
        self._config = config
        self._shape = grid_shape(config)
        self.origin_m = (0.0, -0.5 * self._shape[0] * config.resolution_m)
        self.camera_m = (float(pose.position[0]), float(pose.position[1]))
        self._map_size = (0, 0)
        self._tables: _Tables | None = None
        self._occupied_ns = np.full(self._shape, _NEVER_NS)
        self._last_ns = _NEVER_NS

    @property
    def config(self) -> GroundConfig:
        """Extent, resolution, fading and base frame."""
        return self._config

    def grid(
        self,
        panoptic: Panoptic,
        drivable: Drivable,
        stamp_ns: int,
        points: GroundPoints | None = None,
    ) -> Grid:
        """Say of each cell whether it is free.

        A cell is free where its middle is drivable, and its corners as far as they are seen. What
        is seen around the free cells and is not drivable is occupied; farther behind it all is
        unknown, as pixels of things that stand up show no ground. Cells with measured points are
        as these say, wherever the ground is flat or not.

        Args:
            panoptic: The frame's map; its void is unknown.
            drivable: The frame's surface.
            stamp_ns: The frame's time, for fading; one before the last forgets what was occupied.
            points: Measured at about that time, None where there are none.
        """
        tables = self._tables_for(drivable.mask.shape)
        free = _sampled(drivable.mask, tables.middles, False)
        # A corner behind the ego vehicle is out of sight, as one beside the image is.
        not_blocked = drivable.mask if panoptic.ego is None else drivable.mask | panoptic.ego
        corners = _sampled(not_blocked, tables.corners, True)
        free &= corners[:-1, :-1] & corners[1:, :-1] & corners[:-1, 1:] & corners[1:, 1:]
        is_known = _sampled(panoptic.labels != VOID, tables.middles, False)
        reach = round(self._config.wall_m / self._config.resolution_m)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        around = np.asarray(cv2.dilate(free.view(np.uint8), kernel), np.uint8).view(np.bool_)
        occupied = around & is_known & ~free
        if points is not None:
            step_m = self._config.resolution_m
            measured_free, measured = points.cells(self._shape, step_m, self.origin_m)
            free = (free | measured_free) & ~measured
            occupied = (occupied | measured) & ~free
        cells = self._faded(stamp_ns)
        cells[free] = FREE
        cells[occupied] = OCCUPIED
        self._occupied_ns[occupied] = stamp_ns
        self._occupied_ns[free] = _NEVER_NS
        return Grid(cells, self._config.resolution_m, self.origin_m)

    def boundary(self, drivable: Drivable) -> Boundary:
        """Say how far the free space reaches in each column of the map."""
        tables = self._tables_for(drivable.mask.shape)
        height, width = drivable.mask.shape
        columns = np.arange(width)
        edge = drivable.boundary + 1
        points = tables.edges[edge, columns].astype(np.float64)
        start = drivable.foot if drivable.foot.size else np.full(width, height)
        foot = tables.edges[start, columns].astype(np.float64)
        is_end = ~tables.is_far[edge, columns] & (drivable.boundary >= 0)
        ends = drivable.ends if drivable.ends.size else np.full(width, VOID, np.uint8)
        is_seen = np.isfinite(points).all(axis=1) & np.isfinite(foot).all(axis=1) & (start > 0)
        return Boundary(points[is_seen], is_end[is_seen], ends[is_seen], foot[is_seen])

    def _faded(self, stamp_ns: int) -> NDArray[np.int8]:
        """What is left of the cells that were occupied before; nothing of another recording."""
        if stamp_ns < self._last_ns:
            self._occupied_ns[:] = _NEVER_NS
        self._last_ns = stamp_ns
        cells = np.full(self._shape, UNKNOWN, np.int8)
        decay_ns = self._config.decay_s * 1e9
        age_ns = stamp_ns - self._occupied_ns
        # Where time stands still, nothing would ever fade.
        fading = (age_ns > 0) & (age_ns < decay_ns)
        if fading.any():
            share = 1.0 - age_ns[fading] / decay_ns
            cells[fading] = np.maximum(1, np.round(OCCUPIED * share)).astype(np.int8)
        return cells

    def _tables_for(self, map_size: tuple[int, ...]) -> _Tables:
        if self._tables is None or self._map_size != map_size:
            self._map_size = (map_size[0], map_size[1])
            self._tables = _Tables(*self._cells(), *self._edges())
        return self._tables

    def _cells(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Work out which map pixels show the cells' middles and corners."""
        rows, columns = self._shape
        step, (x0, y0) = self._config.resolution_m, self.origin_m
        x_m = np.asarray(x0 + step * np.arange(columns + 1), np.float64)
        y_m = np.asarray(y0 + step * np.arange(rows + 1), np.float64)
        corners = self._pixels(x_m, y_m)
        return self._pixels(x_m[:-1] + 0.5 * step, y_m[:-1] + 0.5 * step), corners

    def _pixels(self, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> NDArray[np.intp]:
        across, along = np.meshgrid(y_m, x_m, indexing="ij")
        places = np.stack((along, across, np.zeros_like(along)), axis=-1).reshape(-1, 3)
        pixels = self.camera.project(self.pose.to_optical(places)) + 0.5
        height, width = self._map_size
        with np.errstate(invalid="ignore"):
            scaled = np.floor(pixels * (np.array([width, height]) / np.array(self.camera.size)))
            inside = ((scaled >= 0) & (scaled < (width, height))).all(axis=1)
        column, row = np.where(inside[:, None], scaled, 0.0).astype(np.intp).T
        flat = np.where(inside, row * width + column, -1)
        return flat.reshape(along.shape)

    def _edges(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Work out where on the ground the edges of the map's rows lie."""
        height, width = self._map_size
        camera_width, camera_height = self.camera.size
        rows = np.arange(height + 1) * camera_height / height - 0.5
        columns = (np.arange(width) + 0.5) * camera_width / width - 0.5
        y, x = np.meshgrid(rows, columns, indexing="ij")
        rays = self.camera.rays(np.column_stack((x.ravel(), y.ravel())))
        places = self.pose.on_ground(rays)
        start = self.pose.position[:2]
        ways = (rays @ self.pose.rotation.T)[:, :2]
        with np.errstate(divide="ignore", invalid="ignore"):
            ways /= np.hypot(ways[:, 0], ways[:, 1])[:, None]
            away = np.hypot(*(places - start).T)
            is_far = ~(away <= self._config.length_m) & np.isfinite(rays).all(axis=1)
        places = np.where(is_far[:, None], start + self._config.length_m * ways, places)
        shape = (height + 1, width)
        return places.reshape(*shape, 2).astype(np.float32), is_far.reshape(shape)


def _sampled(mask: NDArray[np.bool_], pixels: NDArray[np.intp], unseen: bool) -> NDArray[np.bool_]:
    """Look a mask up at flat indices; -1 gives ``unseen``."""
    return np.append(mask.ravel(), unseen)[pixels]
