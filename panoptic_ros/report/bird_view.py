# SPDX-License-Identifier: Apache-2.0
"""Images of the ground from above, ahead is right: what the camera saw, what the grid says."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.core.ground.grid import FREE, OCCUPIED, UNKNOWN
from panoptic_ros.core.overlay import DRIVABLE_COLOR

WIDTH_PX = 640
LINES_M = 5.0
_PAPER, _INK = (40, 44, 52), (150, 156, 168)
_FREE_COLOR, _OCCUPIED_COLOR = (46, 160, 110), (214, 84, 70)
_OUTSIDE = (24, 26, 31)


@dataclass(frozen=True, eq=False)
class GroundMaps:
    """What was published about one frame, in metres.

    Attributes:
        cells: Occupancy, (rows, columns) int8; rows to the left, columns ahead.
        outline_m: Outline of the free space, (n, 2): x, y.
    """

    cells: NDArray[np.int8]
    outline_m: NDArray[np.float64]


class BirdView:
    """Draws the ground that one camera sees; keeps the table of its pixels.

    Args:
        camera: Its calibration.
        pose: Where it sits.
        config: Extent of the grid.
    """

    def __init__(self, camera: CameraModel, pose: CameraPose, config: GroundConfig) -> None:
        self._config = config
        self._scale = WIDTH_PX / config.length_m
        height_px = max(1, round(config.width_m * self._scale))
        x_m = (np.arange(WIDTH_PX) + 0.5) / self._scale
        y_m = 0.5 * config.width_m - (np.arange(height_px) + 0.5) / self._scale
        across, along = np.meshgrid(y_m, x_m, indexing="ij")
        places = np.stack((along, across, np.zeros_like(along)), axis=-1)
        pixels = camera.project(pose.to_optical(places.reshape(-1, 3)))
        table = np.nan_to_num(pixels, nan=-1e4).astype(np.float32)
        self._table = table.reshape(height_px, WIDTH_PX, 2)

    def image(self, image: NDArray[np.uint8], recorded: GroundMaps) -> NDArray[np.uint8]:
        """Lay a camera image on the ground, with the outline of the free space.

        Args:
            image: RGB, (H, W, 3) uint8.
            recorded: What was published about it.
        """
        whole = np.ascontiguousarray(image)
        x, y = self._table[..., 0], self._table[..., 1]
        seen = cv2.remap(whole, x, y, cv2.INTER_LINEAR, borderValue=_OUTSIDE)
        return self._marked(np.asarray(seen, np.uint8), recorded)

    def grid(self, recorded: GroundMaps) -> NDArray[np.uint8]:
        """Draw the cells: free green, occupied red, unknown grey."""
        colors = np.zeros((256, 3), np.uint8)
        colors[UNKNOWN % 256] = _PAPER
        strength = np.linspace(0.0, 1.0, OCCUPIED)[:, None]
        fading = np.array(_PAPER) * (1 - strength) + np.array(_OCCUPIED_COLOR) * strength
        colors[FREE + 1 : OCCUPIED + 1] = fading.round()
        colors[FREE] = _FREE_COLOR
        # The first row lies to the right of the vehicle: in the image that is below.
        drawn = colors[recorded.cells[::-1].view(np.uint8)]
        height, width = self._table.shape[:2]
        large = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_NEAREST)
        return self._marked(np.asarray(large, np.uint8), recorded)

    def _marked(self, drawn: NDArray[np.uint8], recorded: GroundMaps) -> NDArray[np.uint8]:
        """Write distances and draw the outline of the free space."""
        height = drawn.shape[0]
        for x_m in np.arange(LINES_M, self._config.length_m, LINES_M):
            x = round(float(x_m) * self._scale)
            cv2.line(drawn, (x, 0), (x, height), _INK, 1)
            _write(drawn, f"{x_m:g} m", (x + 3, height - 5))
        middle = 0.5 * self._config.width_m
        for y_m in np.arange(-LINES_M * int(middle / LINES_M), middle, LINES_M):
            y = round((middle - float(y_m)) * self._scale)
            cv2.line(drawn, (0, y), (WIDTH_PX, y), _INK, 1)
        if len(recorded.outline_m):
            x, y_left = recorded.outline_m.T
            corners = np.stack((x * self._scale, (middle - y_left) * self._scale), axis=1)
            fixed = np.round(np.clip(corners, -4e3, 4e3) * 16).astype(np.int32)
            cv2.polylines(drawn, [fixed], True, DRIVABLE_COLOR, 2, cv2.LINE_AA, shift=4)
        return drawn


def _write(drawn: NDArray[np.uint8], text: str, place: tuple[int, int]) -> None:
    for thickness, ink in ((3, (0, 0, 0)), (1, (255, 255, 255))):
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, ink, thickness, cv2.LINE_AA)
