# SPDX-License-Identifier: Apache-2.0
"""How the whole picture moved between two frames, seen in a thumbnail or told by other sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = Any
"""Arrays of float32, or float64 for motions."""

_MAX_SHIFT = 0.25
_BLUR_PX = 1.0
_RIM = 2
_MIN_CONTRAST = 2.0
_MIN_POINTS = 40
_STEPS = 6
_STOP_PX = 0.03
_OUTLIER, _MIN_ERROR = 2.0, 0.5
"""Errors far above the mean one count little; grey levels."""
_MIN_CORRELATION = 0.5


@dataclass(frozen=True)
class CameraMotion:
    """The camera's own motion from the frame before to this one.

    Attributes:
        affine: Two rows of three: takes pixel (x, y) of the map before to where it is in this
            map, ``x' = a x + b y + c``; pixel centres are whole numbers.
        is_known: False where nothing tells it: the first frame, no picture, another scene. The
            affine is the identity then.
    """

    affine: tuple[tuple[float, float, float], tuple[float, float, float]] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
    )
    is_known: bool = True

    @classmethod
    def of_shift(cls, dx: float, dy: float) -> CameraMotion:
        """Make a motion that moves every pixel alike, in map pixels."""
        return cls(((1.0, 0.0, dx), (0.0, 1.0, dy)))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """``affine`` as OpenCV takes it, (2, 3) float64."""
        return np.array(self.affine)

    @property
    def is_shift(self) -> bool:
        """Whether every pixel moves alike."""
        (a, b, _), (c, d, _) = self.affine
        return (a, b, c, d) == (1.0, 0.0, 0.0, 1.0)

    @property
    def scale(self) -> float:
        """By how much lengths grow."""
        (a, b, _), (c, d, _) = self.affine
        return math.sqrt(abs(a * d - b * c))

    def move(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take points (y, x) of the map before into this one, (..., 2)."""
        linear, shift = self.matrix[:, :2], self.matrix[:, 2]
        return np.asarray((points[..., ::-1] @ linear.T + shift)[..., ::-1])


STILL = CameraMotion()
"""The picture stays where it is."""

UNKNOWN = CameraMotion(is_known=False)
"""Nothing tells the motion."""


def motion_between(
    before: NDArray[np.uint8] | None,
    now: NDArray[np.uint8] | None,
    shape: tuple[int, ...],
    movers: NDArray[np.bool_] | None = None,
) -> CameraMotion:
    """Estimate how the still world moved in the picture: shift, roll and zoom.

    Phase correlation finds the shift, however large; Gauss-Newton steps on the pixels with the
    most contrast ("inverse compositional", Baker and Matthews 2004) refine it. What moves by
    itself is left out where it is known and outvoted where it is not.

    Args:
        before: Grey thumbnail of the frame before, (h, w) uint8, or None.
        now: That of this frame.
        shape: (height, width) of the maps that the motion is meant for.
        movers: Where ``before`` shows what may move by itself, (h, w).

    Returns:
        ``UNKNOWN`` where there are not two pictures of one size, or where they do not show the
        same scene.
    """
    if before is None or now is None or before.shape != now.shape:
        return UNKNOWN
    old, new = before.astype(np.float32), now.astype(np.float32)
    # OpenCV writes the window into pictures whose size needs no padding: it gets copies.
    (dx, dy), _ = cv2.phaseCorrelate(old.copy(), new.copy(), _window(before.shape))
    height, width = before.shape
    is_wild = abs(dx) > _MAX_SHIFT * width or abs(dy) > _MAX_SHIFT * height
    start = (0.0, 0.0) if is_wild else (dx, dy)
    # A picture full of objects has to do with them.
    for left_out in (movers, None):
        template = _Template.of(old, left_out)
        found = None if template is None else template.align(new, start)
        if found is not None:
            return _at_map_size(found, before.shape, shape)
    return UNKNOWN


@dataclass(frozen=True, eq=False)
class _Template:
    """The pixels of a picture that tell its motion, relative to the middle; N of them."""

    x: Floats
    y: Floats
    value: Floats
    steepest: Floats
    """How each pixel's value answers to growth, roll, dx and dy, (N, 4)."""
    trust: Floats
    """Brings strong edges down to the others: all vote on pixels of motion, (N,)."""
    middle: tuple[float, float]

    @classmethod
    def of(cls, picture: Floats, movers: NDArray[np.bool_] | None) -> _Template | None:
        """Choose them; None where the picture is too flat."""
        smooth = cv2.GaussianBlur(picture, (0, 0), _BLUR_PX)
        gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
        gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
        contrast = gx * gx + gy * gy
        if movers is not None:
            contrast[movers] = 0.0
        part = contrast[_RIM:-_RIM:2, _RIM:-_RIM:2]
        usual = max(_MIN_CONTRAST, float(part.mean()))
        y, x = np.nonzero(part > 0.5 * usual)
        if len(y) < _MIN_POINTS:
            return None
        y, x = 2 * y + _RIM, 2 * x + _RIM
        gx, gy, value = gx[y, x], gy[y, x], smooth[y, x]
        trust = usual / (usual + contrast[y, x])
        middle = ((picture.shape[1] - 1) / 2.0, (picture.shape[0] - 1) / 2.0)
        x, y = (x - middle[0]).astype(np.float32), (y - middle[1]).astype(np.float32)
        steepest = np.stack((gx * x + gy * y, gy * x - gx * y, gx, gy), axis=1)
        return cls(x, y, value, steepest, trust, middle)

    def align(self, picture: Floats, start: tuple[float, float]) -> Floats | None:
        """Find the similarity that lays the pixels over another picture.

        Returns:
            (2, 3) around the middle; None where the picture shows another scene.
        """
        smooth = cv2.GaussianBlur(picture, (0, 0), _BLUR_PX)
        warp = np.array([[1.0, 0.0, start[0]], [0.0, 1.0, start[1]]])
        for _ in range(_STEPS):
            seen, inside = self._sampled(smooth, warp)
            error = (seen - self.value) * inside
            usual = _MIN_ERROR + float(np.abs(error).mean())
            weight = inside * self.trust / (1.0 + (error / (_OUTLIER * usual)) ** 2)
            weighted = self.steepest * weight[:, None]
            step = np.linalg.solve(
                weighted.T @ self.steepest + 1e-3 * np.eye(4), weighted.T @ error
            ).astype(np.float64)
            warp = _composed(warp, step)
            if float((np.abs(step) * (self.middle[0], self.middle[0], 1.0, 1.0)).max()) < _STOP_PX:
                break
        seen, inside = self._sampled(smooth, warp)
        return warp if _agree(self.value, seen, inside) else None

    def _sampled(self, picture: Floats, warp: Floats) -> tuple[Floats, Floats]:
        a = warp.astype(np.float32)
        x = a[0, 0] * self.x + a[0, 1] * self.y + (a[0, 2] + np.float32(self.middle[0]))
        y = a[1, 0] * self.x + a[1, 1] * self.y + (a[1, 2] + np.float32(self.middle[1]))
        seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR).ravel()
        inside = (x >= 0) & (y >= 0) & (x < picture.shape[1] - 1) & (y < picture.shape[0] - 1)
        return seen, inside.astype(np.float32)


def _composed(warp: Floats, step: Floats) -> Floats:
    """Undo the step on the template's side."""
    growth, roll, dx, dy = step.tolist()
    inverse = np.linalg.inv(np.array([[1.0 + growth, -roll], [roll, 1.0 + growth]]))
    linear = warp[:, :2] @ inverse
    shift = warp[:, 2] - linear @ np.array([dx, dy])
    return np.column_stack((linear, shift))


def _agree(value: Floats, seen: Floats, inside: Floats) -> bool:
    """Whether two samples of pixels show the same."""
    both = inside > 0
    if both.sum() < _MIN_POINTS:
        return False
    a, b = value[both] - value[both].mean(), seen[both] - seen[both].mean()
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return norm > 0.0 and float(a @ b) / norm >= _MIN_CORRELATION


def _at_map_size(
    warp: Floats, thumbnail: tuple[int, ...], shape: tuple[int, ...]
) -> CameraMotion:
    """Say the motion in map pixels instead of the thumbnail's."""
    sx, sy = shape[1] / thumbnail[1], shape[0] / thumbnail[0]
    (a, b, dx), (c, d, dy) = warp.tolist()
    middle = np.array([(shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0])
    linear = np.array([[a, b * sx / sy], [c * sy / sx, d]])
    shift = np.array([dx * sx, dy * sy]) + middle - linear @ middle
    rows = np.column_stack((linear, shift)).tolist()
    return CameraMotion((tuple(rows[0]), tuple(rows[1])))


@lru_cache(maxsize=4)
def _window(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.asarray(cv2.createHanningWindow(shape[::-1], cv2.CV_32F), np.float32)
