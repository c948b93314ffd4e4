# SPDX-License-Identifier: Apache-2.0
"""The whole node with a query model: a small EoMT with random weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [
    pytest.mark.ros,
    pytest.mark.hub,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
for _module in ("rclpy", "torch", "transformers"):
    if importlib.util.find_spec(_module) is None:
        pytest.skip(f"{_module} is not installed", allow_module_level=True)

from panoptic_ros.cli.main import main  # noqa: E402
from panoptic_ros.core.node_config import NodeConfig  # noqa: E402
from test.drawn.graph import Bench, image  # noqa: E402
from test.drawn.small_checkpoints import CLASSES, STUFF, write_checkpoint  # noqa: E402

SIZE = (90, 160)


@pytest.fixture(scope="module")
def query_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eomt")
    target = folder / "small.onnx"
    checkpoint = str(write_checkpoint("eomt", folder / "checkpoint"))
    assert main(["export", "--hf", checkpoint, str(target), "--threshold", "0.3"]) == 0
    return target


def test_every_topic_comes_from_a_query_model(
    make_node: Callable[..., Any], query_model: Path
) -> None:
    values = {"decode.overlap_threshold": 0.05, "tracking.birth_score": 0.0}
    assert NodeConfig().decode.overlap_threshold != values["decode.overlap_threshold"]
    node = make_node(engine=str(query_model), **values)
    bench = Bench(node)
    topics = ("label", "instance", "confidence", "drivable", "overlay")
    heard = {topic: bench.listen(f"/panoptic/{topic}") for topic in topics}
    pixels = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    stamp = [10**9]

    def shoot() -> None:
        stamp[0] += 50_000_000
        bench.publish("/image", image(pixels, stamp[0]))

    node.start()
    bench.until(lambda: all(len(found) > 2 for found in heard.values()), shoot)
    assert node.failure is None
    bench.close()
    label, instance = heard["label"][-1], heard["instance"][-1]
    assert (label.height, label.width) == SIZE
    seen = np.frombuffer(label.data, np.uint8)
    ids = np.frombuffer(instance.data, np.uint16)
    assert set(seen.tolist()) <= {*CLASSES, 255}
    assert (seen != 255).any()
    things = [index for index in CLASSES if index not in STUFF]
    assert not ids[~np.isin(seen, things)].any()
    assert ids.any()
