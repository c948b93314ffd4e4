# SPDX-License-Identifier: Apache-2.0
"""Keep the DDS traffic of tests on this machine and apart from everything else on it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.ros import transport
from test.ros.street_scene import write_model

collect_ignore: list[str] = []
if find_spec("rclpy") is None:
    # Importing them needs rclpy at the top; the other tests of this folder do not.
    here = Path(__file__).parent
    collect_ignore += [path.name for path in here.glob("test_node*.py")] + ["test_consumers.py"]
else:
    with warnings.catch_warnings():
        # What ROS's generator imports warns about itself; it is imported once, here.
        warnings.simplefilter("ignore", DeprecationWarning)
        import_module("rosidl_generator_py")


@pytest.fixture(scope="session", autouse=True)
def own_domain() -> Iterator[None]:
    """Give this test process a domain of its own, below 102 as ROS asks; children inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_LOCALHOST_ONLY", "0")
        for name, value in transport.with_profile({}).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX model that reads ``street_scene.street`` exactly."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def make_node(tiny_model: Path) -> Iterator[Callable[..., Any]]:
    """Makes nodes of given parameters in this process, and closes them."""
    import rclpy
    from rclpy.parameter import Parameter

    from panoptic_ros.ros.node import PanopticNode

    made: list[PanopticNode] = []
    rclpy.init(args=[])

    def make(**parameters: Any) -> PanopticNode:
        values = {"engine": str(tiny_model), "diagnostics_period_s": 0.2, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        made.append(PanopticNode(parameter_overrides=overrides))
        return made[-1]

    yield make
    for node in made:
        node.close()
        node.destroy_node()
    rclpy.shutdown()
