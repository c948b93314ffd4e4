# SPDX-License-Identifier: Apache-2.0
"""Which runtime a model gets, by the parameter and by what is here."""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.model import Engine
from panoptic_ros.engine import cpu_runtime, device
from panoptic_ros.engine.cpu_runtime import LEAST_GAIN, Measured
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.open import open_configured, open_engine, plan_to_build
from panoptic_ros.engine.openvino import OpenVinoEngine
from panoptic_ros.engine.ort import OrtEngine
from test.drawn.tiny_model import write_tiny_model

installed = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(device, "LIBRARY", "libnowhere.so.1")
    return write_tiny_model(tmp_path / "tiny.onnx")


def opened(model: Path, kind: type, **choices: object) -> str:
    """Open an engine of a kind and return the one line that was said."""
    lines: list[str] = []
    engine: Engine = open_configured(EngineConfig(str(model), **choices), lines.append)  # type: ignore[arg-type]
    assert isinstance(engine, kind)
    engine.close()
    assert len(lines) == 1
    return lines[0]


def test_onnx_runtime_runs_where_it_is_asked_for(model: Path) -> None:
    line = opened(model, OrtEngine, runtime="onnxruntime", fallback="none")
    assert line.endswith("as engine_runtime says")
    assert plan_to_build(EngineConfig(str(model), runtime="onnxruntime")) is None


@installed
def test_openvino_runs_where_it_is_asked_for(model: Path) -> None:
    line = opened(model, OpenVinoEngine, runtime="openvino", fallback="none")
    assert "on OpenVINO 20" in line
    assert line.endswith("as engine_runtime says")
    assert plan_to_build(EngineConfig(str(model), runtime="openvino")) is None


@installed
@pytest.mark.parametrize("choice", [{"openvino_device": "GPU.7"}, {"openvino_device": "TPU"}])
def test_onnx_runtime_takes_over_and_says_why(choice: dict[str, str], model: Path) -> None:
    line = opened(model, OrtEngine, runtime="openvino", **choice)
    assert "not OpenVINO: OpenVINO has no device" in line
    with pytest.raises(ModelError, match="OpenVINO has no device"):
        opened(model, OrtEngine, runtime="openvino", fallback="none", **choice)


def test_without_openvino_onnx_runtime_takes_over(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    line = opened(model, OrtEngine, runtime="openvino")
    assert "run: pip install openvino" in line
    with pytest.raises(ModelError, match="run: pip install openvino"):
        opened(model, OrtEngine, runtime="openvino", fallback="none")


@pytest.mark.parametrize("runtime", ["openvino", "auto"])
def test_an_old_openvino_leaves_the_model_to_onnx_runtime(
    runtime: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ModuleType("openvino")
    old.__version__ = "2023.3.0"  # type: ignore[attr-defined]
    old.__spec__ = ModuleSpec("openvino", None)
    monkeypatch.setitem(sys.modules, "openvino", old)
    monkeypatch.setattr(cpu_runtime, "has_bfloat16", lambda: True)
    line = opened(model, OrtEngine, runtime=runtime)
    assert "OpenVINO is of version 2023.3, needs 2024.0 or newer; run: pip install --upgr" in line


@installed
def test_an_operator_that_openvino_lacks_leaves_the_model_to_onnx_runtime(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openvino

    def refuse(core: object, path: str) -> object:
        raise RuntimeError("Check 'unsupported' failed at ops.cpp:7:\nNo conversion for: Guess-17")

    monkeypatch.setattr(openvino.Core, "read_model", refuse)
    line = opened(model, OrtEngine, runtime="openvino")
    assert "tiny.onnx: OpenVINO cannot run it (No conversion for: Guess-17)" in line
    with pytest.raises(ModelError, match="cannot run it"):
        opened(model, OrtEngine, runtime="openvino", fallback="none")


def test_tensorrt_alone_never_measures(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_runtime, "has_bfloat16", lambda: pytest.fail("was asked"))
    assert "not TensorRT: there is no NVIDIA driver" in opened(
        model, OrtEngine, runtime="tensorrt"
    )


def test_a_cpu_without_bfloat16_stays_with_onnx_runtime(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_runtime, "has_bfloat16", lambda: False)
    monkeypatch.setattr(cpu_runtime, "measure", lambda *_: pytest.fail("was measured"))
    assert "OpenVINO" not in opened(model, OrtEngine)


@installed
@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        (Measured("", 2.0), OpenVinoEngine, "as ONNX Runtime takes 2.00 times OpenVINO's CPU"),
        (Measured("", 1.01), OrtEngine, "ONNX Runtime takes 1.01 times OpenVINO's CPU time here"),
        (Measured("", 0.0, "no"), OrtEngine, "OpenVINO is not taken: no"),
    ],
    ids=["faster", "as fast", "refused"],
)
def test_a_cpu_with_bfloat16_is_measured(
    found: Measured, kind: type, words: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_runtime, "has_bfloat16", lambda: True)
    monkeypatch.setattr(cpu_runtime, "measure", lambda *_: found)
    line = opened(model, kind)
    assert words in line
    assert "not TensorRT: there is no NVIDIA driver" in line


@installed
@pytest.mark.usefixtures("model")
@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
def test_both_are_really_run_for_the_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_runtime, "has_bfloat16", lambda: True)
    # Both in single precision, also where the CPU really has it: then they say the same.
    monkeypatch.setattr("panoptic_ros.engine.openvino.half_precision", lambda core, device: "")
    engine = open_engine("street_fast", 1)
    taken = isinstance(engine, OpenVinoEngine)
    engine.close()
    (note,) = (tmp_path / "cache" / "panoptic_ros" / "engines" / "openvino").glob("*.json")
    kept = json.loads(note.read_text())
    assert kept["why"] == ""
    assert kept["gain"] > 0.0
    assert taken is (kept["gain"] >= LEAST_GAIN)


def test_another_runtime_is_refused(model: Path) -> None:
    with pytest.raises(ConfigError, match="auto, onnxruntime, openvino, tensorrt"):
        open_engine(model, runtime="tflite")
