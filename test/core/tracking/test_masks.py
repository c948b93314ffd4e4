# SPDX-License-Identifier: Apache-2.0
"""Points lie on the pixel whose middle is the nearest, and outside where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.tracking.masks import MaskPoints

HEIGHT, WIDTH = 4, 6


@pytest.mark.parametrize(
    ("y", "x", "pixel"),
    [
        (0.0, 0.0, (0, 0)),
        (-0.4, -0.4, (0, 0)),
        (-0.6, 2.0, None),
        (2.0, -0.6, None),
        (-1.4, -1.4, None),
        (-1.6, 2.0, None),
        (3.4, 5.4, (3, 5)),
        (3.6, 2.0, None),
        (2.0, 5.6, None),
        (1.4, 2.6, (1, 3)),
    ],
)
def test_a_point_lies_on_the_nearest_pixel(
    y: float, x: float, pixel: tuple[int, int] | None
) -> None:
    one = np.ones(1, np.float32)
    points = MaskPoints(one * np.float32(y), one * np.float32(x), np.zeros(1, np.intp), one)
    place, inside = points.places((HEIGHT, WIDTH))
    assert inside.tolist() == [pixel is not None]
    assert place.tolist() == [0 if pixel is None else pixel[0] * WIDTH + pixel[1]]
    assert place.dtype == np.int32
