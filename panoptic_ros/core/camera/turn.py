# SPDX-License-Identifier: Apache-2.0
"""What turning an image means for the axes of its camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TURNS = {
    0: np.eye(3),
    90: np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    180: np.diag([-1.0, -1.0, 1.0]),
    270: np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
}


def turn_of_camera(degrees: int) -> NDArray[np.float64]:
    """Rotation about the optical axis, (3, 3): the camera's optical axes to the turned image's.

    Args:
        degrees: 0, 90, 180 or 270, clockwise.

    >>> (turn_of_camera(90) @ [1.0, 0.0, 0.0]).tolist()
    [0.0, 1.0, 0.0]
    """
    turn: NDArray[np.float64] = _TURNS[degrees].copy()
    return turn
