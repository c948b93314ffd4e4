# SPDX-License-Identifier: Apache-2.0
"""What is rewritten for TensorRT computes the same, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.prepare import (
    fold_weight_casts,
    load_model,
    prepare,
    uint8_tensors,
)
from panoptic_ros.engine.models import shipped_models

ort = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")


def transposing_model() -> onnx.ModelProto:
    """uint8 -> Transpose -> Unsqueeze -> Cast -> times a weight that is stored as half."""
    weight = numpy_helper.from_array(np.array([0.5, 2.0, 3.0], np.float16), "weight_half")
    axes = numpy_helper.from_array(np.array([0], np.int64))
    nodes = [
        helper.make_node("Constant", [], ["axes"], value=axes),
        helper.make_node("Cast", ["weight_half"], ["weight"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["image"], ["turned"], perm=[1, 0]),
        helper.make_node("Unsqueeze", ["turned", "axes"], ["deep"]),
        helper.make_node("Cast", ["deep"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["real", "weight"], ["result"]),
    ]
    graph = helper.make_graph(
        nodes,
        "turn",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, (3, 2))],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, (1, 2, 3))],
        [weight],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model: onnx.ModelProto, image: np.ndarray) -> list[np.ndarray]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"image": image}))


def test_bytes_are_cast_before_they_are_moved() -> None:
    model = transposing_model()
    image = np.arange(6, dtype=np.uint8).reshape(3, 2)
    before = answer(model, image)
    prepare(model)
    onnx.checker.check_model(model, full_check=True)
    assert uint8_tensors(model.graph) == {"image"}
    assert "Constant" not in {node.op_type for node in model.graph.node}
    assert [node.op_type for node in model.graph.node] == ["Cast", "Transpose", "Unsqueeze", "Mul"]
    np.testing.assert_array_equal(answer(model, image)[0], before[0])


def test_weights_behind_a_cast_become_weights() -> None:
    model = transposing_model()
    assert fold_weight_casts(model) == 1
    stored = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert stored == {"weight": TensorProto.FLOAT}


def test_a_moved_tensor_with_two_readers_is_left_alone() -> None:
    model = transposing_model()
    model.graph.node.append(helper.make_node("Identity", ["turned"], ["copy"]))
    model.graph.output.append(helper.make_tensor_value_info("copy", TensorProto.UINT8, (2, 3)))
    prepare(model)
    onnx.checker.check_model(model, full_check=True)
    assert "turned" in uint8_tensors(model.graph)


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model_keeps_its_answers(name: str) -> None:
    model = load_model(shipped_models()[name])
    prepared = load_model(shipped_models()[name])
    prepare(prepared)
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    shape = tuple(size.dim_value for size in sizes)
    image = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    for wanted, found in zip(answer(model, image), answer(prepared, image), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\xff\xff\xff\xff")
    with pytest.raises(ModelError, match=r"is not an ONNX model.*export it again"):
        load_model(tmp_path / "model.onnx")
