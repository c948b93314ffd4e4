# SPDX-License-Identifier: Apache-2.0
"""What a node says of images that it can read and should not trust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera
from test.drawn.graph import Bench, image

pytestmark = pytest.mark.ros


def test_twelve_bits_in_sixteen_are_warned_of_once(
    make_node: Callable[..., PanopticNode], capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    # The tiny model takes the values for its classes, of which it has two.
    dark: Any = np.full((32, 64), 300, np.uint16)
    bench.until(lambda: len(labels) > 3, lambda: camera.shoot(image(dark, 0, "mono16")))
    assert capfd.readouterr().err.count("mono16 image is nearly black") == 1
    bench.close()
