# SPDX-License-Identifier: Apache-2.0
"""Ranges of tensors for DLA cores: what they hold, and how they are written for NVIDIA's tools."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building import compile as compiling
from panoptic_ros.engine.building.build import BuildOptions, Built
from panoptic_ros.engine.building.compile import BuildEnvironment, make_plan, prepared
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.building.ranges import calibration_cache, tensor_ranges
from panoptic_ros.engine.building.recipe import Recipe, spec_of
from panoptic_ros.engine.camera_frames import camera_frames
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.variant import TensorRtVariant

SHIPPED = shipped_models().get("street_fast", Path())
needs_model = pytest.mark.skipif(not SHIPPED.is_file(), reason="no model is installed")


def doubling_model() -> onnx.ModelProto:
    """image -> Cast -> real -> times -2 -> twice -> minus itself -> nothing."""
    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["real", "factor"], ["twice"]),
        helper.make_node("Sub", ["twice", "twice"], ["nothing"]),
    ]
    graph = helper.make_graph(
        nodes,
        "double",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, (1, 2, 2, 3))],
        [helper.make_tensor_value_info("nothing", TensorProto.FLOAT, (1, 2, 2, 3))],
        [numpy_helper.from_array(np.array(-2.0, np.float32), "factor")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_range_is_the_largest_absolute_value_over_all_images() -> None:
    images = [np.full((2, 2, 3), value, np.uint8) for value in (10, 200, 30, 40)]
    model = doubling_model()
    found = tensor_ranges(model, images)
    assert found == {"real": 200.0, "twice": 400.0, "nothing": 1.0}
    assert len(model.graph.output) == 1


def test_too_few_images_say_how_many_are_needed() -> None:
    with pytest.raises(ModelError, match="at least 4 images, found 3"):
        tensor_ranges(doubling_model(), [np.zeros((2, 2, 3), np.uint8)] * 3)


@pytest.mark.parametrize(
    ("version", "header"),
    [
        ("8.6.1", "TRT-8601-"),
        ("8.5.2.2", "TRT-8502-"),
        ("10.3.0", "TRT-100300-"),
        ("10.13.0.35", "TRT-101300-"),
    ],
)
def test_the_calibration_cache_names_its_version(version: str, header: str) -> None:
    lines = calibration_cache({"a": 254.0, "b/c": 1.0}, version).splitlines()
    assert lines[0] == header + "EntropyCalibration2"
    scale = np.frombuffer(bytes.fromhex(lines[1].removeprefix("a: ")), ">f4")[0]
    assert scale == 2.0
    assert lines[2].startswith("b/c: 3c01020")


@pytest.fixture(scope="module")
def ranges() -> dict[str, float]:
    """Ranges of the shipped model; they take seconds, so all tests share them."""
    model = load_model(SHIPPED)
    prepare(model)
    return tensor_ranges(model, camera_frames(spec_of(model, "street"), 4))


@pytest.fixture
def known(ranges: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Lets a recipe have its ranges at once, and no Q/DQ pairs."""
    monkeypatch.setattr(compiling, "tensor_ranges", lambda model, images, report: ranges)
    monkeypatch.setattr(compiling, "to_int8", lambda model, images, report: model)
    return ranges


@needs_model
def test_every_convolution_reads_and_writes_a_tensor_with_a_range(
    ranges: dict[str, float],
) -> None:
    model = load_model(SHIPPED)
    prepare(model)
    products = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(products) > 30
    for node in products:
        assert ranges[node.input[0]] > 0.0
        assert ranges[node.output[0]] > 0.0


@needs_model
def test_ranges_reach_the_builder_and_lie_beside_the_plan(
    known: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BuildOptions] = []

    def build(
        model: bytes, variant: TensorRtVariant, options: BuildOptions, report: object, cache: Path
    ) -> Built:
        told.append(options)
        return Built(b"plan", (), 1.0, ())

    monkeypatch.setattr(compiling, "build_plan", build)
    module = SimpleNamespace(
        NetworkDefinitionCreationFlag=SimpleNamespace(STRONGLY_TYPED=1),
        BuilderFlag=SimpleNamespace(FP16=1),
    )
    here = BuildEnvironment(
        TensorRtVariant("tensorrt", "10.3.0", module), Gpu("Orin", "8.7", "12.6", True)
    )
    recipe = Recipe(SHIPPED, "int8", dla=0)
    make_plan(recipe, tmp_path / "a.plan", here)
    make_plan(replace(recipe, dla=-1), tmp_path / "b.plan", here)
    assert [options.ranges for options in told] == [known, {}]
    written = (tmp_path / "a.plan.calibration").read_text(encoding="utf-8")
    assert written == calibration_cache(known, "10.3.0")
    assert not (tmp_path / "b.plan.calibration").exists()


@needs_model
@pytest.mark.usefixtures("known")
def test_sensitive_nodes_and_edges_stay_in_full_precision() -> None:
    ready = prepared(Recipe(SHIPPED, "int8", dla=0), by_ranges=True)
    graph = onnx.load_from_string(ready.content).graph
    kept = {node.op_type for node in graph.node if node.name in ready.keep_fp32}
    assert "Softmax" in kept
    assert "QuantizeLinear" not in {node.op_type for node in graph.node}
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    assert 0 < len(set(convolutions) & ready.keep_fp32) < len(convolutions) / 2
