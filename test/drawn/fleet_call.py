# SPDX-License-Identifier: Apache-2.0
"""``panoptic`` with an engine that dies of poisonous images, in every process that it starts.

Worker processes import the main file of their caller, so that what is changed here is changed
there, too: python test/drawn/fleet_call.py label ...
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from panoptic_ros.cli.main import main
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.types import Heads

_infer = DrawnEngine.infer


def _dies_of_poison(engine: DrawnEngine, image: NDArray[np.uint8]) -> Heads:
    if tuple(image[0, 0].tolist()) == (255, 0, 255):
        os.kill(os.getpid(), signal.SIGSEGV)
    return _infer(engine, image)


def poison() -> None:
    """Change the engine of this process."""
    DrawnEngine.infer = _dies_of_poison  # type: ignore[method-assign]


poison()

if __name__ == "__main__":
    sys.exit(main())
