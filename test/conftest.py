# SPDX-License-Identifier: Apache-2.0
"""Which tests can run here: a marker whose need is missing skips with the way to get it.

``PANOPTIC_REQUIRE=ros,torch`` turns such a skip into a failure, so that CI cannot go green by
lacking something.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from panoptic_ros.engine.variant import installed_variants
from panoptic_ros.ros.transport import domain
from panoptic_ros.ros.transport import profile as transport

# How long an example takes says something about the machine and nothing about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

if importlib.util.find_spec("rclpy") is not None:
    with warnings.catch_warnings():
        # What ROS's generator imports warns about itself; it is imported once, here.
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("rosidl_generator_py")

STREET = "PANOPTIC_STREET"
LIDAR = "PANOPTIC_LIDAR"
_MESSAGES = "make messages, or install your distribution's package"


def _lacks(module: str, remedy: str) -> str:
    return "" if importlib.util.find_spec(module) else f"{module} is not installed: {remedy}"


def _lacks_reference() -> str:
    lacking = [_lacks(name, "run through make test") for name in ("hotcoco", "trackeval")]
    return "; ".join(filter(None, lacking))


def _lacks_gpu() -> str:
    places = ("/dev/nvidia0", "/dev/nvhost-gpu", "/dev/nvgpu/igpu0", "/dev/dxg")
    if not any(Path(place).exists() for place in places):
        return "there is no NVIDIA GPU (no /dev/nvidia0, no Tegra GPU)"
    if not installed_variants():
        return "TensorRT is not installed: make test-gpu, or see docs/engines.md"
    return _lacks("pycuda", "make test-gpu, or pip install pycuda")


def _lacks_street() -> str:
    folder = os.environ.get(STREET, "")
    if not folder:
        return f"{STREET} does not name the folder of labelled street images"
    found = Path(folder, "val.json").is_file()
    return "" if found else f"{STREET} names {folder}, which holds no val.json"


def _lacks_lidar() -> str:
    folder = os.environ.get(LIDAR, "")
    if not folder:
        return f"{LIDAR} does not name the folder of a drive with camera and LiDAR"
    found = Path(folder, "sequence.json").is_file()
    return "" if found else f"{LIDAR} names {folder}, which holds no sequence.json"


NEEDS = {
    "ros": lambda: _lacks("rclpy", "run through make test, or source ROS 2"),
    "torch": lambda: _lacks("torch", "make train-env"),
    "hub": lambda: _lacks("torch", "make train-env") or _lacks("transformers", "make train-env"),
    "gpu": _lacks_gpu,
    "reference": _lacks_reference,
    "vision": lambda: _lacks("vision_msgs", _MESSAGES),
    "autoware": lambda: _lacks("tier4_perception_msgs", _MESSAGES),
    "tf": lambda: _lacks("tf2_msgs", _MESSAGES),
    "rtx": lambda: _lacks("tensorrt_rtx", "pip install -r requirements/rtx.lock"),
    "street": _lacks_street,
    "lidar": _lacks_lidar,
}


def pytest_configure(config: pytest.Config) -> None:
    """Stop at once where something is required that is not here."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background ignores the signal, and the processes of tests would, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, signal.SIG_IGN):
        _end_on_sigterm()
    required = filter(None, os.environ.get("PANOPTIC_REQUIRE", "").replace(",", " ").split())
    missing = [reason for marker in required if (reason := NEEDS[marker]())]
    if missing:
        raise pytest.UsageError("PANOPTIC_REQUIRE: " + "; ".join(missing))


def _end_on_sigterm() -> None:
    """Let SIGTERM, which ``timeout`` sends, end what tests have started as Ctrl-C does.

    A process that was forked from this one ends by it as usual.
    """
    owner = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run, and say why."""
    reasons = {marker: lacks() for marker, lacks in NEEDS.items()}
    for item in items:
        for marker, reason in reasons.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def street() -> Path:
    """Folder of the labelled street images; for tests with the marker ``street``."""
    if reason := _lacks_street():
        pytest.skip(reason)
    return Path(os.environ[STREET])


@pytest.fixture
def lidar() -> Path:
    """Folder of a drive with camera and LiDAR; for tests with the marker ``lidar``."""
    if reason := _lacks_lidar():
        pytest.skip(reason)
    return Path(os.environ[LIDAR])


@pytest.fixture(scope="session", autouse=True)
def own_domain() -> Iterator[None]:
    """Give this test process a domain of its own; children inherit it."""
    with domain.own_domain() as number, pytest.MonkeyPatch.context() as patch:
        patch.setenv(domain.VARIABLE, str(number))
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
    from test.drawn.street_scene import write_model

    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``--engine painted`` open the engine that reads painted images."""
    from panoptic_ros.engine import open as engines
    from test.drawn.painted_engine import PaintedEngine

    real = engines.open_engine

    def opened(name: str, threads: int = 0, **choices: Any) -> object:
        return PaintedEngine() if name == "painted" else real(name, threads, **choices)

    monkeypatch.setattr(engines, "open_engine", opened)
