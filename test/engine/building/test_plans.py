# SPDX-License-Identifier: Apache-2.0
"""Which plan is missing here, and what runs in place of one that does not fit."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import StaleEngineError
from panoptic_ros.engine import device
from panoptic_ros.engine.building.plans import PlanRequest
from panoptic_ros.engine.building.process import BuildProcess
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.open import open_engine, plan_to_build
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.storage.cache import default_folder, plan_path, read_plan
from panoptic_ros.engine.trt import TrtEngine
from panoptic_ros.engine.variant import TensorRtVariant
from test.engine.test_open import key_here, model, orin, write

__all__ = ["model", "orin"]


def test_a_model_without_a_plan_needs_one(model: Path, orin: TensorRtVariant) -> None:
    assert plan_to_build(EngineConfig(str(model), precision="int8", batch=2)) == PlanRequest(
        model, "int8", 2
    )


def test_a_model_with_a_plan_in_the_cache_needs_none(model: Path, orin: TensorRtVariant) -> None:
    key = key_here(model, orin)
    write(plan_path(default_folder(), "tiny", key), key)
    assert plan_to_build(EngineConfig(str(model))) is None
    assert plan_to_build(EngineConfig(str(model), precision="fp32")) == PlanRequest(model, "fp32")
    assert plan_to_build(EngineConfig(str(model), batch=2)) == PlanRequest(model, batch=2)


def test_where_nothing_can_be_built_nothing_is_missing(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "LIBRARY", "libnowhere.so.1")
    assert plan_to_build(EngineConfig(str(model))) is None
    assert plan_to_build(EngineConfig("drawn")) is None
    assert plan_to_build(EngineConfig("/no/such.onnx")) is None


def test_a_plan_that_fits_needs_none(model: Path, orin: TensorRtVariant) -> None:
    plan = write(model.with_name("own.plan"), key_here(model, orin))
    assert plan_to_build(EngineConfig(str(plan))) is None


@pytest.mark.parametrize("case", ["stale", "damaged"])
def test_a_plan_that_does_not_fit_is_built_anew_as_it_was(
    case: str, model: Path, orin: TensorRtVariant
) -> None:
    key = replace(key_here(model, orin), precision="int8", batch=3)
    if case == "stale":
        key = replace(key, version="8.6.1")
    plan = write(model.with_name("own.plan"), key)
    if case == "damaged":
        plan.write_bytes(b"naln")
    assert plan_to_build(EngineConfig(str(plan), precision="fp32")) == PlanRequest(
        model, "int8", 3
    )


def test_a_plan_whose_model_is_gone_cannot_be_built_anew(
    model: Path, orin: TensorRtVariant
) -> None:
    key = replace(key_here(model, orin), version="8.6.1")
    plan = write(model.with_name("own.plan"), key)
    model.unlink()
    assert plan_to_build(EngineConfig(str(plan))) is None


def test_a_plan_of_the_same_model_in_the_cache_stands_in_for_a_stale_one(
    model: Path, orin: TensorRtVariant
) -> None:
    key = key_here(model, orin)
    plan = write(model.with_name("own.plan"), replace(key, version="8.6.1"))
    with pytest.raises(StaleEngineError, match=r"8\.6\.1"):
        open_engine(str(plan), fallback="none")
    with open_engine(str(plan)) as engine:
        assert isinstance(engine, OrtEngine)
    write(plan_path(default_folder(), "tiny", key), key)
    assert plan_to_build(EngineConfig(str(plan))) is None
    lines: list[str] = []
    with open_engine(str(plan), fallback="none", say=lines.append) as engine:
        assert isinstance(engine, TrtEngine)
    assert "a plan of tiny.onnx fits this machine" in lines[0]
    assert "8.6.1" in lines[0]


def test_the_command_says_all_that_is_wanted() -> None:
    order = PlanRequest(Path("street.onnx"), "int8", 3)
    assert order.command == "panoptic build street.onnx --precision int8 --batch 3"
    second = PlanRequest(Path("street.onnx"), device=1)
    assert second.command == "panoptic build street.onnx --precision fp16 --device 1"


@pytest.mark.rtx
def test_a_real_plan_is_built_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shipped_models().get("street_fast")
    if source is None:
        pytest.skip("no model is installed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # The builder asks for a GPU, as it is for a node that has one; TensorRT for RTX needs none.
    code = (
        "import sys\n"
        "from panoptic_ros.engine import device, variant\n"
        "from panoptic_ros.engine.building import parity, process\n"
        "device.read_gpu = lambda *_: device.Gpu('Drawn', '8.6', '12.6', False)\n"
        "variant.VARIANTS = ('tensorrt_rtx',)\n"
        "parity.comparison = lambda *_: lambda graph, plan, about: {'label_agreement': 1.0}\n"
        "sys.exit(process.main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", code, str(source), "fp16", "2", "0"]
    told: list[tuple[str, float]] = []
    build = BuildProcess(PlanRequest(source, batch=2), command)
    build.wait(lambda phase, share: told.append((phase, share)))
    (plan,) = (tmp_path / "panoptic_ros" / "engines").glob("street_fast.*.plan")
    _, about = read_plan(plan)
    assert (about.key.batch, about.parity) == (2, {"label_agreement": 1.0})
    shares = [share for _, share in told]
    assert told[0][0] == "reading the model"
    assert len(told) > 3
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
