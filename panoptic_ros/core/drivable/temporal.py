# SPDX-License-Identifier: Apache-2.0
"""How sure one can be of the surface after several frames; what blocks it counts at once."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.drivable.evidence import SurfaceEvidence
from panoptic_ros.core.tracking.camera_motion import CameraMotion

LEVEL = 255
"""Probabilities are kept in 1/255 of the evidence's steps, as small shares of a step count."""


class TemporalFilter:
    """Probability of the surface of one camera; used by one thread.

    It follows the evidence with a time constant, moves along with the image, and is lost at
    once where something blocks. So a mistake in one frame neither opens nor closes a way, but an
    obstacle closes it without delay.
    """

    def __init__(self) -> None:
        self._probability: NDArray[np.uint16] | None = None
        self._stamp_ns = 0

    def update(
        self,
        evidence: SurfaceEvidence,
        stamp_ns: int,
        memory_s: float,
        motion: CameraMotion,
        is_new_stream: bool,
    ) -> NDArray[np.uint8]:
        """Take a frame in.

        Args:
            evidence: What the frame says.
            stamp_ns: Its time; not before that of the frame before in the same stream. One of the
                same time counts in full.
            memory_s: Time constant; 0 remembers nothing.
            motion: How the image moved since the frame before.
            is_new_stream: Whether the frame has nothing to do with the one before: it counts in
                full.

        Returns:
            Probability, 0..255, (h, w) uint8.
        """
        seconds = (stamp_ns - self._stamp_ns) * 1e-9
        self._stamp_ns = stamp_ns
        before, now = self._probability, evidence.support
        # Where time stands still, nothing would ever change: the image counts in full.
        if before is None or is_new_stream or memory_s <= 0 or seconds <= 0:
            self._probability = now.astype(np.uint16) * np.uint16(LEVEL)
            return now
        share = 1.0 - math.exp(-seconds / memory_s)
        moved = _moved(before, motion) if motion.is_known else before
        probability = cv2.addWeighted(
            moved, 1.0 - share, now, share * LEVEL, 0.0, dtype=cv2.CV_16U
        )
        kept = np.zeros_like(before)
        cv2.copyTo(probability, cv2.bitwise_not(evidence.blocked), kept)
        self._probability = kept
        return np.asarray(cv2.convertScaleAbs(kept, alpha=1 / LEVEL), np.uint8)


def _moved(probability: NDArray[np.uint16], motion: CameraMotion) -> NDArray[np.uint16]:
    height, width = probability.shape
    # What comes into sight is taken to go on as at the image's rim.
    moved = cv2.warpAffine(
        probability,
        motion.matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, np.uint16)
