# SPDX-License-Identifier: Apache-2.0
"""The camera's motion, seen in two small grey images: shift, roll and zoom of the still world.

Phase correlation finds the shift, however large; alignment of pixels with contrast refines it.
What moves by itself is left out where it is known and outvoted where it is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.tracking.alignment import Template
from panoptic_ros.core.tracking.camera_motion import CUT, UNKNOWN, CameraMotion
from panoptic_ros.core.types import Panoptic

Floats = NDArray[np.float32]

_MAX_SHIFT = 0.25
_BLUR_PX = 1.0
_LIKELY, _SURE = 0.5, 0.9
"""Least correlation of two images for a motion that was searched for, and for a guess."""
_MAX_CUT_CORRELATION = 0.3
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


class EgoMotion:
    """Reads the camera's motion from frame to frame; one camera, one thread."""

    def __init__(self) -> None:
        self._image: MotionImage | None = None
        self._dynamic_mask: NDArray[np.bool_] | None = None
        self._motion = UNKNOWN

    def update(
        self, thumbnail: NDArray[np.uint8], panoptic: Panoptic, is_new_stream: bool = False
    ) -> CameraMotion:
        """Take in the next frame.

        Args:
            thumbnail: Small grey image of the frame, (h, w) uint8, any fixed size.
            panoptic: The frame's map; its objects may move by themselves.
            is_new_stream: Whether the frame has nothing to do with the one before.

        Returns:
            The motion since the frame before, in pixels of the map. ``UNKNOWN`` for the first
            frame and where the images do not tell it, ``CUT`` where they have nothing in common.
        """
        before = None if is_new_stream else self._image
        self._image = MotionImage.of(thumbnail)
        motion = motion_between(
            before, self._image, panoptic.ids.shape, self._dynamic_mask, self._motion
        )
        is_other_scene = not motion.is_known and is_cut(before, self._image)
        self._motion = CUT if is_other_scene else motion
        self._dynamic_mask = _dynamic_mask(panoptic, thumbnail.shape)
        return self._motion


def _dynamic_mask(panoptic: Panoptic, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where a thumbnail shows objects, at half its size."""
    size = (max(1, shape[1] // 2), max(1, shape[0] // 2))
    objects = cv2.resize(panoptic.ids, size, interpolation=cv2.INTER_NEAREST) > 0
    # Their outlines, blurred, reach farther than they do.
    return cv2.dilate(objects.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)


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
    coarse: complex | None = None
    # An image full of objects has to do with them.
    for left_out in (dynamic_mask, None) if dynamic_mask is not None else (None,):
        template = Template.of(before.smooth, left_out)
        if template is None:
            continue
        found = None
        if last.is_known and left_out is dynamic_mask:
            found = template.align(now.smooth, *_at_thumbnail_size(last, size, shape), _SURE)
        if found is None:
            coarse = _coarse_shift(before, now) if coarse is None else coarse
            found = template.align(now.smooth, 1.0, coarse, _LIKELY)
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
def _window(shape: tuple[int, ...]) -> Floats:
    return np.asarray(cv2.createHanningWindow(shape[::-1], cv2.CV_32F), np.float32)
