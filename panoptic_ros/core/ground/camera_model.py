# SPDX-License-Identifier: Apache-2.0
"""Which way each pixel of a camera looks, and where a point in front of it appears.

Source: the distortion models of ROS's CameraInfo (REP-104), as OpenCV implements them: plumb_bob
and rational_polynomial after Brown and Conrady, equidistant after Kannala and Brandt (2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError

COEFFICIENTS = {
    "plumb_bob": (0, 4, 5),
    "rational_polynomial": (0, 8, 12, 14),
    "equidistant": (0, 4),
}
"""How many distortion values a CameraInfo may have, by its ``distortion_model``.

The rational model's 12 are its 8 and OpenCV's thin prism, its 14 the sensor's tilt as well.
"""

PINHOLE = ("", "none")
"""What ``distortion_model`` says of a camera that has none; empty with values is plumb_bob."""

FISHEYE = "equidistant"
_WIDEST = 1.5
"""Half the field of view that is used of a fisheye, in radians: behind it pixels fold over."""

_ROUND_TRIP_PX = 0.5
_EXACT = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-10)


@dataclass(frozen=True, eq=False)
class CameraModel:
    """A calibrated camera; x right, y down, z ahead (REP-103, optical frame).

    Attributes:
        size: (width, height) of its images.
        model: Key of ``COEFFICIENTS``.
        matrix: K, (3, 3) float64, in pixels.
        distortion: As many values as the model has.
    """

    size: tuple[int, int]
    model: str
    matrix: NDArray[np.float64]
    distortion: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        size: tuple[int, int],
        model: str,
        k: Sequence[float] | NDArray[np.float64],
        d: Sequence[float] | NDArray[np.float64],
    ) -> CameraModel:
        """Check the values of a CameraInfo.

        Args:
            size: (width, height).
            model: ``distortion_model``; see ``PINHOLE``.
            k: Row-major camera matrix, 9 values.
            d: Distortion.

        Raises:
            ConfigError: The camera is not calibrated, or the model is not known.
        """
        matrix = np.asarray(k, np.float64).reshape(3, 3)
        model, distortion = _told_distortion(model, np.asarray(d, np.float64).ravel())
        if not (matrix[0, 0] > 0 and matrix[1, 1] > 0 and np.isfinite(matrix).all()):
            raise ConfigError(
                "camera_info has no focal length: the camera is not calibrated; run: panoptic "
                "calibrate"
            )
        if distortion.size not in COEFFICIENTS.get(model, ()):
            known = ", ".join(
                f"{name} {'/'.join(map(str, counts[1:]))}" for name, counts in COEFFICIENTS.items()
            )
            raise ConfigError(
                f"camera_info has distortion {model!r} with {distortion.size} values, needs one "
                f"of: {known}"
            )
        if not np.isfinite(distortion).all():
            raise ConfigError("camera_info has distortion values that are not numbers")
        if model == FISHEYE and not distortion.size:
            distortion = np.zeros(4)
        return cls(size, model, matrix, distortion)

    def rays(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find the direction in which pixels look.

        Args:
            pixels: (n, 2): x, y; the middle of the upper left pixel is (0, 0).

        Returns:
            Unit vectors, (n, 3), not a number where no direction is seen at that pixel.
        """
        points = np.asarray(pixels, np.float64).reshape(-1, 1, 2)
        if self.model == FISHEYE:
            return self._fisheye_rays(points[:, 0])
        solved = cv2.undistortPointsIter(
            self._without_skew(points), self.matrix, self.distortion, np.eye(3), np.eye(3), _EXACT
        )
        flat = np.asarray(solved, np.float64)[:, 0]
        rays = np.column_stack((flat, np.ones(len(flat))))
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        # Far outside of what was calibrated the polynomial folds over, and has no inverse.
        again = self.project(rays)
        wrong = ~(np.abs(again - points[:, 0]).max(axis=1) <= _ROUND_TRIP_PX)
        rays[wrong] = np.nan
        return np.asarray(rays)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find the pixels at which points appear.

        Args:
            points: (n, 3) in the optical frame, metres or any other unit.

        Returns:
            x, y, (n, 2), not a number for what lies behind the camera or out of its view.
        """
        points = np.asarray(points, np.float64).reshape(-1, 3)
        if self.model == FISHEYE:
            return self._fisheye_pixels(points)
        is_ahead = points[:, 2] > 1e-6 * np.linalg.norm(points, axis=1)
        safe = np.where(is_ahead[:, None], points, (0.0, 0.0, 1.0))
        none = np.zeros(3)
        seen, _ = cv2.projectPoints(safe, none, none, self.matrix, self.distortion)
        slope = np.hypot(safe[:, 0], safe[:, 1]) / safe[:, 2]
        is_seen = is_ahead & (slope < self._steepest())
        return np.where(
            is_seen[:, None], self._with_skew(np.asarray(seen, np.float64)[:, 0]), np.nan
        )

    @property
    def _skew(self) -> NDArray[np.float64]:
        """What OpenCV does not look at in K, (2, 2)."""
        return np.asarray(self.matrix[:2, :2] - np.diag(self.matrix.diagonal()[:2]))

    def _with_skew(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add the skew to pixels of OpenCV, (..., 2)."""
        if not self._skew.any():
            return pixels
        flat = (pixels - self.matrix[:2, 2]) / self.matrix.diagonal()[:2]
        return np.asarray(pixels + flat @ self._skew.T)

    def _without_skew(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Make pixels of OpenCV of the camera's, (..., 2)."""
        if not self._skew.any():
            return pixels
        flat = (pixels - self.matrix[:2, 2]) @ np.linalg.inv(self.matrix[:2, :2]).T
        return np.asarray(pixels - flat @ self._skew.T)

    def _steepest(self) -> float:
        """Slope of the ray up to which the radial polynomial grows."""
        slopes = np.linspace(0.0, 20.0, 4001)[1:]
        coefficients = np.zeros(14)
        coefficients[: self.distortion.size] = self.distortion
        k1, k2, _, _, k3, k4, k5, k6 = coefficients[:8]
        squared = slopes**2
        above = 1 + squared * (k1 + squared * (k2 + squared * k3))
        radius = slopes * above / (1 + squared * (k4 + squared * (k5 + squared * k6)))
        falls = np.flatnonzero(np.diff(radius) <= 0)
        return float(slopes[falls[0]]) if falls.size else float("inf")

    def _fisheye_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        across = np.hypot(points[:, 0], points[:, 1])
        angle = np.arctan2(across, points[:, 2])
        scale = _fisheye_radius(angle, self.distortion) / np.maximum(across, 1e-12)
        pixels = (points[:, :2] * scale[:, None]) @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        return np.where((angle < self._widest())[:, None], pixels, np.nan)

    def _fisheye_rays(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = (pixels - self.matrix[:2, 2]) @ np.linalg.inv(self.matrix[:2, :2]).T
        radius = np.hypot(flat[:, 0], flat[:, 1])
        # The radius grows with the angle up to the widest one: a table inverts it.
        angles = np.linspace(0.0, self._widest(), 20001)
        angle = np.interp(radius, _fisheye_radius(angles, self.distortion), angles, right=np.nan)
        way = flat / np.maximum(radius, 1e-12)[:, None]
        return np.column_stack((way * np.sin(angle)[:, None], np.cos(angle)))

    def _widest(self) -> float:
        angles = np.linspace(0.0, _WIDEST, 1501)
        falls = np.flatnonzero(np.diff(_fisheye_radius(angles, self.distortion)) <= 0)
        return float(angles[falls[0]]) if falls.size else _WIDEST


def _told_distortion(
    model: str, distortion: NDArray[np.float64]
) -> tuple[str, NDArray[np.float64]]:
    """Take a pinhole camera as plumb_bob without values, whatever it is called."""
    if model in PINHOLE and not distortion.any():
        return "plumb_bob", np.zeros(0)
    return model or "plumb_bob", distortion


def _fisheye_radius(
    angle: NDArray[np.float64], distortion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance from the middle of the image, in focal lengths, of a ray off the axis."""
    k1, k2, k3, k4 = distortion
    squared = angle**2
    series = k1 + squared * (k2 + squared * (k3 + squared * k4))
    return np.asarray(angle * (1 + squared * series))
