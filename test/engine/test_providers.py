# SPDX-License-Identifier: Apache-2.0
"""Which of ONNX Runtime's providers are tried, and what is said of the one that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from panoptic_ros.engine import providers
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.providers import choose_providers, describe
from test.drawn.external_model import write_external_model
from test.drawn.tiny_model import write_tiny_model

TRT, CUDA, CPU = (f"{name}ExecutionProvider" for name in ("Tensorrt", "CUDA", "CPU"))
WHEEL = [TRT, CUDA, CPU]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "find_gpu", lambda index: Gpu("T4", "7.5", "12.6", False))
    monkeypatch.setattr(providers, "installed_variants", lambda: ())
    monkeypatch.setattr(providers, "find_library", lambda name: None)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


def names(available: list[str], model: Path, device: int | None = 0) -> list[str]:
    return [name for name, _ in choose_providers(available, device, model)]


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("available", "library", "variants", "device", "wanted"),
    [
        ([CPU], None, (), 0, [CPU]),
        (WHEEL, None, (), 0, [CUDA, CPU]),
        (WHEEL, "libnvinfer.so.10", (), 0, [TRT, CUDA, CPU]),
        (WHEEL, "libnvinfer.so.10", ("tensorrt",), 0, [CUDA, CPU]),
        ([TRT, CPU], "libnvinfer.so.10", (), 0, [TRT, CPU]),
        (WHEEL, "libnvinfer.so.10", (), None, [CPU]),
    ],
    ids=["plain wheel", "GPU wheel", "TensorRT", "own plans are better", "no CUDA", "CPU asked"],
)
def test_the_best_provider_that_can_be_here_is_tried_first(
    available: list[str],
    library: str | None,
    variants: tuple[str, ...],
    device: int | None,
    wanted: list[str],
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(providers, "find_library", lambda name: library)
    monkeypatch.setattr(providers, "installed_variants", lambda: variants)
    assert names(available, model, device) == wanted


def test_without_a_gpu_a_gpu_wheel_runs_on_the_cpu(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "find_gpu", lambda index: None)
    assert names(WHEEL, model) == [CPU]


@pytest.mark.usefixtures("gpu")
def test_the_chosen_gpu_is_the_one_that_is_used(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "find_library", lambda name: "libnvinfer.so.10")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    chosen = dict(choose_providers(WHEEL, 1, model))
    assert chosen[CUDA] == {"device_id": 1}
    assert chosen[TRT]["device_id"] == 1
    folder = tmp_path / "panoptic_ros" / "engines" / "onnxruntime"
    assert Path(chosen[TRT]["trt_engine_cache_path"]).parent == folder


@pytest.mark.usefixtures("gpu")
def test_what_is_compiled_is_kept_for_one_state_of_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "find_library", lambda name: "libnvinfer.so.10")
    model = write_external_model(tmp_path / "m.onnx", 1.0)

    def folder() -> object:
        return dict(choose_providers(WHEEL, 0, model))[TRT]["trt_engine_cache_path"]

    first = folder()
    assert folder() == first
    write_external_model(tmp_path / "m.onnx", 2.0)
    assert folder() != first


@pytest.mark.parametrize(
    ("wanted", "got", "words"),
    [
        ([CPU], [CPU], "CPU"),
        ([CUDA, CPU], [CUDA, CPU], "CUDA"),
        ([TRT, CUDA, CPU], [TRT, CUDA, CPU], "Tensorrt"),
        ([CUDA, CPU], [CPU], "CPU, as CUDA did not load"),
    ],
)
def test_what_runs_is_said_and_what_did_not_load(
    wanted: list[str], got: list[str], words: str
) -> None:
    assert describe([(name, {}) for name in wanted], got) == words


class GpuSession(onnxruntime.InferenceSession):  # type: ignore[misc]
    """ONNX Runtime as a GPU wheel: takes the providers, runs on the CPU, counts inferences."""

    loads = True
    runs = 0

    def __init__(self, path: str, options: Any, providers: list[tuple[str, Any]]) -> None:
        self._asked = [name for name, _ in providers] if self.loads else [CPU]
        super().__init__(path, options, providers=["CPUExecutionProvider"])

    def get_providers(self) -> list[str]:
        return self._asked

    def run(self, *arguments: Any) -> Any:
        type(self).runs += 1
        return super().run(*arguments)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("loads", [True, False])
def test_the_description_names_the_provider(
    loads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GpuSession, "loads", loads)
    monkeypatch.setattr(GpuSession, "runs", 0)
    monkeypatch.setattr(onnxruntime, "InferenceSession", GpuSession)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: WHEEL)
    with OrtEngine(write_tiny_model(tmp_path / "tiny.onnx"), 1, device=0) as engine:
        assert isinstance(engine, OrtEngine)
        words = "(CUDA)" if loads else "(CPU, as CUDA did not load)"
        assert engine.description.endswith(words)
        assert engine.is_offloaded is loads
        assert GpuSession.runs == (1 if loads else 0)
        engine.infer(np.zeros((4, 8, 3), np.uint8))
        assert GpuSession.runs == (2 if loads else 1)
