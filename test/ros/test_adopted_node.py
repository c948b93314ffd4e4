# SPDX-License-Identifier: Apache-2.0
"""The whole node with a model that somebody else wrote, adopted."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.ros
if importlib.util.find_spec("rclpy") is None:
    pytest.skip("rclpy is not installed", allow_module_level=True)

from panoptic_ros.cli.main import main  # noqa: E402
from test.drawn.graph import Bench, image  # noqa: E402
from test.drawn.palette_street import SIZE, labels, street, write_foreign  # noqa: E402

SCALE = 4


def test_every_topic_comes_from_an_adopted_model(
    make_node: Callable[..., Any], tmp_path: Path
) -> None:
    source, target = write_foreign(tmp_path / "lab.onnx"), tmp_path / "street.onnx"
    words = ["adopt", source, "--labels", "cityscapes", "--colour", "bgr", "--out", target]
    assert main(list(map(str, words))) == 0
    node = make_node(engine=str(target))
    bench = Bench(node)
    topics = ("label", "instance", "panoptic", "confidence", "drivable", "overlay")
    heard = {topic: bench.listen(f"/panoptic/{topic}") for topic in topics}
    frame, classes, cars = street(20, 100)
    stamp = [10**9]

    def shoot() -> None:
        stamp[0] += 50_000_000
        large = frame.repeat(SCALE, 0).repeat(SCALE, 1)
        bench.publish("/image", image(large, stamp[0]))

    node.start()
    bench.until(lambda: all(len(found) > 2 for found in heard.values()), shoot)
    assert node.failure is None
    bench.close()
    large = (SIZE[0] * SCALE, SIZE[1] * SCALE)
    label = np.frombuffer(heard["label"][-1].data, np.uint8).reshape(large)
    ids = np.frombuffer(heard["instance"][-1].data, np.uint16).reshape(large)
    drivable = np.frombuffer(heard["drivable"][-1].data, np.uint8).reshape(large)
    expected = classes.repeat(SCALE, 0).repeat(SCALE, 1)
    # Edges are blurred on their way to the network's size.
    assert (label == expected).mean() > 0.99
    numbers = [set(ids[2::SCALE, 2::SCALE][cars == car].tolist()) for car in (0, 1, 2)]
    assert numbers[0] == {0}
    assert all(len(number) == 1 for number in numbers[1:])
    assert numbers[1] != numbers[2]
    assert drivable[-1, large[1] // 2] == 255
    assert not drivable[expected == labels().index("sky")].any()
