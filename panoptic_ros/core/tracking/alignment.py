# SPDX-License-Identifier: Apache-2.0
"""Lay the pixels of one small grey image over another one: shift, roll and growth.

Gauss-Newton steps on pixels with contrast ("inverse compositional", Baker and Matthews 2004).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_RIM = 2
_MIN_CONTRAST = 2.0
_MIN_POINTS, _MAX_POINTS = 40, 500
_STEPS = 6
_STOP_PX = 0.25
_OUTLIER, _MIN_ERROR = 2.0, 0.5
"""Errors far above the mean one count little; grey levels."""
_OUTSIDE = -1e4
_DAMPING = 1e-3 * np.eye(4, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Template:
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
    def of(cls, smooth: Floats, dynamic_mask: NDArray[np.bool_] | None) -> Template | None:
        """Choose them; None where the image is too flat."""
        value = smooth[_RIM:-_RIM:2, _RIM:-_RIM:2]
        gx, gy = _slopes(smooth)
        contrast = gx * gx + gy * gy
        if dynamic_mask is not None and contrast.size:
            size = (contrast.shape[1], contrast.shape[0])
            left_out = cv2.resize(
                dynamic_mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST
            )
            contrast *= left_out == 0
        usual = max(_MIN_CONTRAST, float(contrast.mean())) if contrast.size else 0.0
        flat = (contrast > 0.5 * usual).ravel().nonzero()[0]
        if len(flat) < _MIN_POINTS:
            return None
        flat = flat[:: -(-len(flat) // _MAX_POINTS)]
        gx, gy, value, strength = (one.ravel().take(flat) for one in (gx, gy, value, contrast))
        place = _grid(smooth.shape).take(flat)
        # The conjugate of the place times the slope: along it for growth, across it for roll.
        answer = place.conjugate() * (gx + np.complex64(1j) * gy)
        steepest = np.empty((len(flat), 4), np.float32)
        for column, slope in enumerate((answer.real, answer.imag, gx, gy)):
            steepest[:, column] = slope
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
    count = np.count_nonzero(inside)
    if count < _MIN_POINTS:
        return 0.0
    a, b = value, value + error
    if count < len(inside):
        a, b = a[inside], b[inside]
    # What ``mean`` does takes several times as long for so few.
    a, b = a - a.sum() / len(a), b - b.sum() / len(b)
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0.0 else 0.0


@lru_cache(maxsize=4)
def _grid(shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """X + y i of the pixels that a template may choose from, seen from the image's middle."""
    y, x = np.mgrid[_RIM : shape[0] - _RIM : 2, _RIM : shape[1] - _RIM : 2]
    places = (x - (shape[1] - 1) / 2.0) + 1j * (y - (shape[0] - 1) / 2.0)
    return np.asarray(places.ravel(), np.complex64)
