# SPDX-License-Identifier: Apache-2.0
"""How many cells the grid on the ground has, and how many it may have."""

from __future__ import annotations

import itertools
import math

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError

MOST_CELLS = 4_000_000


def grid_shape(config: GroundConfig) -> tuple[int, int]:
    """Count the cells of a grid.

    Returns:
        (rows, columns): how many lie beside each other across and ahead, at least 1 each.

    Raises:
        ConfigError: They are more than ``MOST_CELLS``.

    >>> grid_shape(GroundConfig(length_m=40.0, width_m=20.0, resolution_m=0.2))
    (100, 200)
    """
    shape = _shape(config, config.resolution_m)
    if math.prod(shape) > MOST_CELLS:
        steps = (hundredths / 100 for hundredths in itertools.count(1))
        needed = next(step for step in steps if math.prod(_shape(config, step)) <= MOST_CELLS)
        raise ConfigError(
            f"ground.length_m {config.length_m:g} and ground.width_m {config.width_m:g} in cells "
            f"of ground.resolution_m {config.resolution_m:g} make {math.prod(shape)} cells, more "
            f"than {MOST_CELLS}; make resolution_m {needed:g} or more, or length_m or width_m less"
        )
    return shape


def _shape(config: GroundConfig, step_m: float) -> tuple[int, int]:
    return max(1, round(config.width_m / step_m)), max(1, round(config.length_m / step_m))
