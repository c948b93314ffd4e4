# SPDX-License-Identifier: Apache-2.0
"""The camera's motion, seen in two small grey images: shift, roll and zoom of the still world.

Phase correlation finds the shift, however large; Gauss-Newton steps on pixels with contrast
("inverse compositional", Baker and Matthews 2004) refine it. What moves by itself is left out
where it is known and outvoted where it is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.tracking.camera_motion import UNKNOWN, CameraMotion

Floats = NDArray[np.float32]

_MAX_SHIFT = 0.25
_BLUR_PX = 1.0
_RIM = 2
_MIN_CONTRAST = 2.0
_MIN_POINTS, _MAX_POINTS = 40, 500
_STEPS = 6
_STOP_PX = 0.25
_OUTLIER, _MIN_ERROR = 2.0, 0.5
"""Errors far above the mean one count little; grey levels."""
_LIKELY, _SURE = 0.5, 0.9
"""Least correlation of two images for a motion that was searched for, and for a guess."""
_MAX_CUT_CORRELATION = 0.3
_OUTSIDE = -1e4
_MIN_HALVED = 64


@dataclass(frozen=True, eq=False)
class MotionImage:
    """A thumbnail, made ready to be compared with the one before and the one behind it.

    Attributes:
        smooth: Grey, (h, w) float32.
        half: At half size, where that leaves enough, float32.
    """

    smooth: Floats
    half: Floats

    @classmethod
    def of(cls, thumbnail: NDArray[np.uint8]) -> MotionImage:
        """Prepare a grey thumbnail, (h, w) uint8."""
        height, width = thumbnail.shape
        size = (width // 2, height // 2) if height >= _MIN_HALVED else (width, height)
        half = cv2.resize(thumbnail, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        smooth = cv2.GaussianBlur(thumbnail.astype(np.float32), (0, 0), _BLUR_PX)
        return cls(np.asarray(smooth), half)


def motion_between(
    before: MotionImage | None,
    now: MotionImage | None,
    shape: tuple[int, ...],
    dynamic_mask: NDArray[np.bool_] | None = None,
    last: CameraMotion = UNKNOWN,
) -> CameraMotion:
    """Estimate how the still world moved in the image.

    Args:
        before: The frame before, or None.
        now: This frame.
        shape: (height, width) of the maps that the motion is meant for.
        dynamic_mask: Where ``before`` shows what may move by itself, any size.
        last: The motion before this one: cameras rarely change theirs at once. Only saves time.

    Returns:
        ``UNKNOWN`` where there are not two images of one size, or where they do not show the
        same scene.
    """
    if before is None or now is None or before.smooth.shape != now.smooth.shape:
        return UNKNOWN
    size = now.smooth.shape
    # An image full of objects has to do with them.
    for left_out in (dynamic_mask, None):
        template = _Template.of(before.smooth, left_out)
        if template is None:
            continue
        found = None
        if last.is_known and left_out is dynamic_mask:
            found = template.align(now.smooth, *_at_thumbnail_size(last, size, shape), _SURE)
        if found is None:
            found = template.align(now.smooth, 1.0, _coarse_shift(before, now), _LIKELY)
        if found is not None:
            return _at_map_size(*found, size, shape)
    return UNKNOWN


def is_cut(before: MotionImage | None, now: MotionImage | None) -> bool:
    """Whether two images between which no motion was found have nothing in common.

    Args:
        before: The frame before, or None.
        now: This frame.
    """
    if before is None or now is None or before.half.shape != now.half.shape:
        return False
    a, b = before.half - before.half.mean(), now.half - now.half.mean()
    norm = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return norm > 0.0 and float((a * b).sum()) < _MAX_CUT_CORRELATION * norm


def _coarse_shift(before: MotionImage, now: MotionImage) -> complex:
    """Find the shift (dx + dy i) by phase correlation at half size; 0 where it is too far."""
    height, width = before.half.shape
    # OpenCV writes the window into its arguments where their size needs no padding.
    pair = before.half.copy(), now.half.copy()
    (dx, dy), _ = cv2.phaseCorrelate(*pair, _window(before.half.shape))
    if abs(dx) > _MAX_SHIFT * width or abs(dy) > _MAX_SHIFT * height:
        return 0j
    full_height, full_width = before.smooth.shape
    return complex(dx * full_width / width, dy * full_height / height)


@dataclass(frozen=True, eq=False)
class _Template:
    """The pixels of an image that tell its motion; N of them.

    Attributes:
        place: x + y i from the image's middle, (N,) complex64.
        value: Grey, (N,).
        steepest: How the value answers to growth, roll, dx and dy, (N, 4).
        trust: Brings strong edges down to the others: all vote on pixels of motion, (N,).
        middle: x + y i of the image's middle.
    """

    place: NDArray[np.complex64]
    value: Floats
    steepest: Floats
    trust: Floats
    middle: complex

    @classmethod
    def of(cls, smooth: Floats, dynamic_mask: NDArray[np.bool_] | None) -> _Template | None:
        """Choose them; None where the image is too flat."""
        value = smooth[_RIM:-_RIM:2, _RIM:-_RIM:2]
        gx, gy = _slopes(smooth)
        contrast = gx * gx + gy * gy
        if dynamic_mask is not None and contrast.size:
            size = (contrast.shape[1], contrast.shape[0])
            left_out = cv2.resize(
                dynamic_mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST
            )
            contrast[left_out > 0] = 0.0
        usual = max(_MIN_CONTRAST, float(contrast.mean())) if contrast.size else 0.0
        flat = np.flatnonzero(contrast > 0.5 * usual)
        if len(flat) < _MIN_POINTS:
            return None
        flat = flat[:: -(-len(flat) // _MAX_POINTS)]
        gx, gy, value, strength = (one.ravel().take(flat) for one in (gx, gy, value, contrast))
        place = _grid(smooth.shape).take(flat)
        # The conjugate of the place times the slope: along it for growth, across it for roll.
        answer = place.conjugate() * (gx + np.complex64(1j) * gy)
        steepest = np.stack((answer.real, answer.imag, gx, gy), axis=1)
        trust = (usual / (usual + strength)).astype(np.float32)
        middle = complex((smooth.shape[1] - 1) / 2.0, (smooth.shape[0] - 1) / 2.0)
        return cls(place, value, steepest, trust, middle)

    def align(
        self, smooth: Floats, turn: complex, shift: complex, least: float
    ) -> tuple[complex, complex] | None:
        """Find the similarity z -> turn * z + shift that lays the pixels over another image.

        Args:
            smooth: The other image.
            turn: Where to start.
            shift: Likewise.
            least: Least correlation of the two.

        Returns:
            turn and shift; None where they do not correlate.
        """
        for _ in range(_STEPS):
            error, inside = self._compared(smooth, turn, shift)
            usual = _MIN_ERROR + cv2.norm(error, cv2.NORM_L1) / len(error)
            weight = inside * self.trust / (1.0 + (error / (_OUTLIER * usual)) ** 2)
            weighted = (self.steepest * weight[:, None]).T
            step = _solved(weighted @ self.steepest + _DAMPING, weighted @ error)
            # The step moves the template; undone, it moves the image.
            change, moved = complex(1.0 + step[0], step[1]), complex(step[2], step[3])
            turn, shift = turn / change, shift - turn * moved / change
            if max(abs(change - 1.0) * self.middle.real, abs(moved)) < _STOP_PX:
                break
        # The last step was too small to change the verdict.
        return (turn, shift) if _correlation(self.value, error, inside) >= least else None

    def _compared(
        self, smooth: Floats, turn: complex, shift: complex
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """By how much the other image differs at each pixel, 0 outside of it."""
        there = self.place * np.complex64(turn) + np.complex64(shift + self.middle)
        places = there.view(np.float32).reshape(-1, 1, 2)
        seen = cv2.remap(  # type: ignore[call-overload]
            smooth, places, None, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, _OUTSIDE
        ).ravel()
        inside = seen >= 0.0
        return np.where(inside, seen - self.value, np.float32(0.0)), inside


_DAMPING = 1e-3 * np.eye(4, dtype=np.float32)


def _slopes(smooth: Floats) -> tuple[Floats, Floats]:
    """Change of the value per pixel to the right and down, at the template's pixels."""
    ahead, here, behind = (
        slice(_RIM + 1, 1 - _RIM, 2),
        slice(_RIM, -_RIM, 2),
        slice(_RIM - 1, -1 - _RIM, 2),
    )
    half = np.float32(0.5)
    return (
        (smooth[here, ahead] - smooth[here, behind]) * half,
        (smooth[ahead, here] - smooth[behind, here]) * half,
    )


def _solved(normal: Floats, right: Floats) -> list[float]:
    """Solve four equations; for so few NumPy takes longer to check than to solve."""
    solution: list[float] = cv2.solve(normal, right, flags=cv2.DECOMP_CHOLESKY)[1].ravel().tolist()
    return solution


def _correlation(value: Floats, error: Floats, inside: NDArray[np.bool_]) -> float:
    """How much two samples of pixels are alike; 0 where too few are in both images."""
    if np.count_nonzero(inside) < _MIN_POINTS:
        return 0.0
    a, b = value[inside], (value + error)[inside]
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0.0 else 0.0


def _at_thumbnail_size(
    motion: CameraMotion, thumbnail: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[complex, complex]:
    """Say a motion in the thumbnail's pixels, as far as it is a similarity."""
    sx, sy = shape[1] / thumbnail[1], shape[0] / thumbnail[0]
    middle = np.array([(shape[0] - 1) / 2.0, (shape[1] - 1) / 2.0])
    dy, dx = (motion.move(middle) - middle).tolist()
    (a, _, _), (c, d, _) = motion.affine
    return complex((a + d) / 2.0, c * sx / sy), complex(dx / sx, dy / sy)


def _at_map_size(
    turn: complex, shift: complex, thumbnail: tuple[int, ...], shape: tuple[int, ...]
) -> CameraMotion:
    """Say the motion in map pixels instead of the thumbnail's."""
    sx, sy = shape[1] / thumbnail[1], shape[0] / thumbnail[0]
    mx, my = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0
    a, b = turn.real, turn.imag
    left, right = -b * sx / sy, b * sy / sx
    dx = shift.real * sx + mx - a * mx - left * my
    dy = shift.imag * sy + my - right * mx - a * my
    return CameraMotion(((a, left, dx), (right, a, dy)))


@lru_cache(maxsize=4)
def _grid(shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """X + y i of the pixels that a template may choose from, seen from the image's middle."""
    y, x = np.mgrid[_RIM : shape[0] - _RIM : 2, _RIM : shape[1] - _RIM : 2]
    places = (x - (shape[1] - 1) / 2.0) + 1j * (y - (shape[0] - 1) / 2.0)
    return np.asarray(places.ravel(), np.complex64)


@lru_cache(maxsize=4)
def _window(shape: tuple[int, ...]) -> Floats:
    return np.asarray(cv2.createHanningWindow(shape[::-1], cv2.CV_32F), np.float32)
