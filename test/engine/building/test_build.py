# SPDX-License-Identifier: Apache-2.0
"""Real plans, built with TensorRT for RTX, which needs no GPU for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.build import BuildOptions, build_plan
from panoptic_ros.engine.building.precision import to_fp16
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.variant import TensorRtVariant, load_variant
from test.drawn.tiny_model import write_tiny_model

pytestmark = pytest.mark.rtx


@pytest.fixture(scope="module")
def rtx() -> TensorRtVariant:
    return load_variant("tensorrt_rtx")


def prepared(path: Path, precision: str = "fp32") -> bytes:
    model = load_model(path)
    prepare(model)
    if precision == "fp16":
        to_fp16(model)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model_becomes_a_plan(name: str, precision: str, rtx: TensorRtVariant) -> None:
    seen: list[float] = []
    built = build_plan(
        prepared(shipped_models()[name], precision),
        rtx,
        BuildOptions(precision),
        lambda phase, share: seen.append(share),
    )
    assert len(built.plan) > 1_000_000
    assert [(tensor.name, tensor.mode, tensor.dtype) for tensor in built.tensors] == [
        ("image", "input", "uint8"),
        ("labels", "output", "uint8"),
        ("confidence", "output", "uint8"),
        ("centers", "output", "uint8"),
        ("offsets", "output", "float16"),
    ]
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
def test_half_precision_makes_a_smaller_plan(rtx: TensorRtVariant) -> None:
    path = shipped_models()["street_fast"]
    full, half = (
        build_plan(prepared(path, precision), rtx, BuildOptions(precision))
        for precision in ("fp32", "fp16")
    )
    assert len(half.plan) < 0.75 * len(full.plan)


def test_an_unprepared_model_is_refused_with_tensorrts_words(
    rtx: TensorRtVariant, tmp_path: Path
) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx").read_bytes()
    with pytest.raises(ModelError, match=r"cannot read this model: .*UINT8.*--check"):
        build_plan(model, rtx, BuildOptions())


def test_bytes_that_are_no_model_are_refused(rtx: TensorRtVariant) -> None:
    with pytest.raises(ModelError, match="cannot read this model"):
        build_plan(b"no model", rtx, BuildOptions())


@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (BuildOptions(targets=("9.0",)), r"--target 9\.0: .*builds for compute capability 7\.5"),
        (BuildOptions("fp16", dla=0), "has no DLA"),
    ],
    ids=["unknown target", "dla"],
)
def test_what_the_variant_cannot_do_is_said(
    options: BuildOptions, words: str, rtx: TensorRtVariant
) -> None:
    with pytest.raises(ModelError, match=words):
        build_plan(prepared(shipped_models()["street_fast"]), rtx, options)


@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
def test_an_interrupt_ends_the_build(rtx: TensorRtVariant) -> None:
    def interrupted(phase: str, share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_plan(prepared(shipped_models()["street_fast"]), rtx, BuildOptions(), interrupted)


@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
def test_a_plan_can_be_made_for_named_gpus(rtx: TensorRtVariant) -> None:
    options = BuildOptions("fp16", targets=("8.6", "12.0"))
    built = build_plan(prepared(shipped_models()["street_fast"], "fp16"), rtx, options)
    assert len(built.plan) > 1_000_000
