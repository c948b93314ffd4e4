# SPDX-License-Identifier: Apache-2.0
"""Which engine is chosen, and the line that says why."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.core.errors import ConfigError, ModelError, StaleEngineError
from panoptic_ros.engine import device, trt
from panoptic_ros.engine.building.recipe import Recipe, key_of
from panoptic_ros.engine.cuda import Cuda
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.models import find_model, shipped_models
from panoptic_ros.engine.open import open_engine
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.storage.cache import default_folder, plan_path, write_plan
from panoptic_ros.engine.storage.manifest import PlanKey, sha256_of
from panoptic_ros.engine.trt import TrtEngine
from panoptic_ros.engine.variant import TensorRtVariant
from test.drawn.drawn_gpu import DrawnCuda, DrawnTensorRT
from test.drawn.plans import manifest
from test.drawn.tiny_model import spec, write_tiny_model

ORIN = Gpu("Orin", "8.7", "12.6", True)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_tiny_model(tmp_path / "tiny.onnx")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "LIBRARY", "libnowhere.so.1")


@pytest.fixture
def orin(monkeypatch: pytest.MonkeyPatch) -> TensorRtVariant:
    """A machine with a GPU and a TensorRT, both drawn."""
    # Imported late it would take the drawn load_variant over and keep it.
    import_module("panoptic_ros.engine.building.compile")
    variant = DrawnTensorRT().as_variant()
    monkeypatch.setattr(device, "read_gpu", lambda index=0, library=None: ORIN)
    monkeypatch.setattr("panoptic_ros.engine.variant.load_variant", lambda name="": variant)
    monkeypatch.setattr(trt, "load_variant", lambda name="": variant)
    monkeypatch.setattr(trt, "Cuda", lambda index: Cuda(index, DrawnCuda()))
    monkeypatch.setattr(trt.TrtEngine, "_record", lambda self: None)
    return variant


def key_here(model: Path, variant: TensorRtVariant) -> PlanKey:
    return key_of(Recipe(model), spec(), variant, ORIN)


def write(path: Path, key: PlanKey) -> Path:
    about = manifest(key=key, model="tiny.onnx", metadata=spec().to_metadata())
    write_plan(path, b"plan", about)
    return path


def opened(name: Path, kind: type, **options: Any) -> str:
    """Open an engine of a kind and return the line that was said."""
    lines: list[str] = []
    engine = open_engine(str(name), 1, say=lines.append, **options)
    assert isinstance(engine, kind)
    engine.close()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_a_model_runs_in_onnx_runtime_and_says_why(model: Path) -> None:
    line = opened(model, OrtEngine)
    assert line.startswith("tiny 8x4 on ONNX Runtime ")
    assert "not TensorRT: there is no NVIDIA driver here" in line


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_a_plan_falls_back_to_its_own_model(model: Path) -> None:
    key = replace(manifest().key, onnx_sha256=sha256_of(model))
    plan = write(model.with_name("tiny.plan"), key)
    line = opened(plan, OrtEngine)
    assert "not TensorRT: there is no NVIDIA driver" in line


@pytest.mark.parametrize(
    ("variant", "runtime"),
    [
        ("tensorrt", "openvino"),
        ("tensorrt", "onnxruntime"),
        ("openvino", "tensorrt"),
        ("openvino", "onnxruntime"),
    ],
)
def test_a_plan_for_one_runtime_is_refused_where_another_is_asked_for(
    variant: str, runtime: str, model: Path
) -> None:
    plan = write(model.with_name("tiny.plan"), replace(manifest().key, variant=variant))
    with pytest.raises(ConfigError, match=f"a plan for runtime {variant}, and {runtime} is asked"):
        open_engine(str(plan), runtime=runtime)


@pytest.mark.usefixtures("no_gpu")
def test_a_plan_never_falls_back_to_another_model(model: Path) -> None:
    plan = write(model.with_name("tiny.plan"), manifest().key)
    with pytest.raises(ModelError, match="no NVIDIA driver here"):
        open_engine(str(plan))


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["tiny.onnx", "tiny.plan"])
def test_where_no_fallback_is_wanted_the_reason_is_raised(name: str, model: Path) -> None:
    write(model.with_name("tiny.plan"), replace(manifest().key, onnx_sha256=sha256_of(model)))
    with pytest.raises(ModelError, match="no NVIDIA driver here"):
        open_engine(str(model.with_name(name)), fallback="none")


def test_a_model_with_a_plan_in_the_cache_runs_in_tensorrt(
    model: Path, orin: TensorRtVariant
) -> None:
    key = key_here(model, orin)
    write(plan_path(default_folder(), "tiny", key), key)
    line = opened(model, TrtEngine)
    assert line.startswith("tiny 8x4 on TensorRT 10.3.0 (fp16, Drawn)")
    assert line.endswith("a plan of tiny.onnx fits this machine")


def test_a_model_without_a_plan_says_what_to_run(model: Path, orin: TensorRtVariant) -> None:
    assert "there is no plan of tiny in " in (line := opened(model, OrtEngine))
    assert line.endswith(f"run: panoptic build {model} --precision fp16")


def test_a_model_with_a_stale_plan_says_what_differs(model: Path, orin: TensorRtVariant) -> None:
    key = replace(key_here(model, orin), version="8.6.1")
    write(plan_path(default_folder(), "tiny", key), key)
    assert "TensorRT version is 8.6.1, here it is 10.3.0" in opened(model, OrtEngine)


def test_a_plan_runs_where_it_fits(model: Path, orin: TensorRtVariant) -> None:
    plan = write(model.with_name("own.plan"), key_here(model, orin))
    assert opened(plan, TrtEngine).endswith("the plan fits this machine")


def test_a_plan_runs_as_often_before_the_first_image_as_asked(
    model: Path, orin: TensorRtVariant, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    monkeypatch.setattr(trt.TrtEngine, "_warm_up", lambda self, count: counts.append(count))
    opened(write(model.with_name("own.plan"), key_here(model, orin)), TrtEngine, warmup=7)
    assert counts == [7]


def test_a_plan_that_nobody_compared_says_so(model: Path, orin: TensorRtVariant) -> None:
    key = key_here(model, orin)
    about = manifest(key=key, model="tiny.onnx", metadata=spec().to_metadata(), compared="graph")
    write_plan(model.with_name("own.plan"), b"plan", about)
    line = opened(model.with_name("own.plan"), TrtEngine)
    assert "fits this machine; its outputs were not compared with ONNX Runtime's" in line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gpu": "Thor", "compute_capability": "11.0"}, r"for Thor \(11.0\), this is Orin"),
        ({"version": "8.6.1"}, "with tensorrt 8.6.1, here is tensorrt 10.3.0"),
    ],
    ids=["gpu", "version"],
)
def test_a_plan_of_elsewhere_is_stale(
    changes: dict[str, str], words: str, model: Path, orin: TensorRtVariant
) -> None:
    plan = write(model.with_name("own.plan"), replace(key_here(model, orin), **changes))
    with pytest.raises(StaleEngineError, match=words):
        open_engine(str(plan), fallback="none")


def test_a_damaged_plan_never_reaches_tensorrt(
    model: Path, orin: TensorRtVariant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write(model.with_name("own.plan"), key_here(model, orin))
    plan.write_bytes(b"naln")
    monkeypatch.setattr(trt, "TrtEngine", SimpleNamespace())
    assert "is damaged" in opened(plan, OrtEngine)


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model_is_found_by_its_files_name_from_anywhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_model(f"{name}.onnx") == find_model(name) == shipped_models()[name]


def test_a_model_may_be_named_by_a_path(model: Path, tmp_path: Path) -> None:
    assert find_model(model) == model
    with pytest.raises(ModelError, match=r"no model '.*nowhere\.onnx'"):
        open_engine(tmp_path / "nowhere.onnx")


def test_an_unknown_precision_lists_the_known_where_no_plan_is_opened_too(model: Path) -> None:
    with pytest.raises(ConfigError, match="needs one of: fp32, fp16, int8"):
        open_engine(model, precision="fp8")


def test_an_unknown_fallback_lists_the_known(model: Path) -> None:
    with pytest.raises(ConfigError, match="needs one of: onnxruntime, none"):
        open_engine(str(model), fallback="cpu")


@pytest.mark.parametrize(
    "numbers", [{"threads": -3}, {"batch": 0}, {"device": -1}, {"warmup": -1}], ids=str
)
def test_a_number_that_cannot_be_is_refused(numbers: dict[str, int]) -> None:
    (what,) = numbers
    with pytest.raises(ConfigError, match=f"{what} is {numbers[what]}, needs at least"):
        open_engine("drawn", **numbers)  # type: ignore[arg-type]
