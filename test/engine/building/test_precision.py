# SPDX-License-Identifier: Apache-2.0
"""FP16 where the time is spent, FP32 where it must be, and the same answer but for rounding."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.engine.building.precision import PRODUCTS, SENSITIVE, full_nodes, to_fp16
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.models import shipped_models

ort = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")


def attention_model(last: float = 1.0) -> onnx.ModelProto:
    """image -> MatMul -> Softmax -> MatMul -> Resize; outputs the result and the soft-max."""
    weight = np.linspace(-1, last, 16, dtype=np.float32).reshape(4, 4)
    stored = [
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"),
    ]
    nodes = [
        helper.make_node("MatMul", ["image", "weight"], ["scores"], name="score"),
        helper.make_node("Softmax", ["scores"], ["share"], name="share", axis=-1),
        helper.make_node("MatMul", ["share", "weight"], ["mixed"], name="mix"),
        helper.make_node("Relu", ["mixed"], ["positive"], name="relu"),
        helper.make_node("Resize", ["positive", "", "scales"], ["large"], name="resize"),
        helper.make_node("MatMul", ["large", "square"], ["result"], name="last"),
    ]
    stored.append(numpy_helper.from_array(np.eye(8, dtype=np.float32), "square"))
    graph = helper.make_graph(
        nodes,
        "attention",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, 3, 4))],
        [
            helper.make_tensor_value_info("result", TensorProto.FLOAT, (1, 1, 6, 8)),
            helper.make_tensor_value_info("share", TensorProto.FLOAT, (1, 1, 3, 4)),
        ],
        stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def types_by_node(model: onnx.ModelProto) -> dict[str, int]:
    """Type of each named node's first output."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {
        entry.name: entry.type.tensor_type.elem_type
        for entry in [*inferred.value_info, *inferred.output]
    }
    return {node.name: types[node.output[0]] for node in inferred.node}


def answers(model: onnx.ModelProto, image: np.ndarray) -> list[np.ndarray]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {session.get_inputs()[0].name: image}))


def test_products_are_half_and_soft_max_is_not() -> None:
    model = attention_model()
    kept = to_fp16(model)
    onnx.checker.check_model(model, full_check=True)
    types = types_by_node(model)
    half = {name for name, kind in types.items() if kind == TensorProto.FLOAT16}
    assert {"score", "mix", "relu", "resize", "last"} <= half
    assert types["share"] == TensorProto.FLOAT
    assert kept == {"share"}


def test_half_precision_changes_answers_by_rounding_only() -> None:
    image = np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 1, 3, 4)
    model = attention_model()
    wanted = answers(model, image)
    to_fp16(model)
    for found, exact in zip(answers(model, image), wanted, strict=True):
        assert found.dtype == exact.dtype
        np.testing.assert_allclose(found, exact, atol=2e-3)
        assert (found != exact).any(), "nothing was converted"


@pytest.mark.parametrize(("last", "words"), [(1e5, "100000"), (-1e6, r"1e\+06")])
def test_a_weight_beyond_half_is_named(last: float, words: str) -> None:
    with pytest.raises(ModelError, match=rf"weight weight holds {words}, FP16 ends at 65504"):
        to_fp16(attention_model(last))


def test_the_largest_half_is_kept() -> None:
    model = attention_model(65504.0)
    to_fp16(model)
    stored = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    assert stored["weight_fp16"].max() == 65504.0
    assert stored["scales"].dtype == np.float32, "Resize reads its scales in FP32"


def reshaping_model() -> onnx.ModelProto:
    """image -> MatMul -> Reshape -> MatMul -> result."""
    stored = [
        numpy_helper.from_array(np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4), "weight"),
        numpy_helper.from_array(np.array([1, 4, 3, 1], np.int64), "shape"),
        numpy_helper.from_array(np.array([[0.5, -1.5]], np.float32), "last_weight"),
    ]
    nodes = [
        helper.make_node("MatMul", ["image", "weight"], ["mixed"], name="first"),
        helper.make_node("Reshape", ["mixed", "shape"], ["turned"], name="turn"),
        helper.make_node("MatMul", ["turned", "last_weight"], ["result"], name="last"),
    ]
    graph = helper.make_graph(
        nodes,
        "reshaping",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, 3, 4))],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, (1, 4, 3, 2))],
        stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_whole_numbers_stay_what_they_are() -> None:
    model = reshaping_model()
    to_fp16(model)
    onnx.checker.check_model(model, full_check=True)
    assert types_by_node(model)["turn"] == TensorProto.FLOAT16
    stored = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    assert stored["shape"].tolist() == [1, 4, 3, 1]
    assert stored["shape"].dtype == np.int64


def chain_model() -> onnx.ModelProto:
    """image -> Mul -> MatMul -> Mul -> MatMul -> Mul -> result."""
    names = ("image", "before", "first", "between", "last", "result")
    nodes = [
        helper.make_node(
            "Mul" if number % 2 == 0 else "MatMul",
            [source, source if number % 2 == 0 else "weight"],
            [target],
            name=target,
        )
        for number, (source, target) in enumerate(itertools.pairwise(names))
    ]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 4, 4))],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, (1, 4, 4))],
        [numpy_helper.from_array(np.eye(4, dtype=np.float32) * 0.3, "weight")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_half_lies_between_the_first_and_the_last_product_alone() -> None:
    model = chain_model()
    assert full_nodes(model) == {"before", "result"}
    assert model == chain_model(), "asking changes nothing"
    image = np.linspace(-1, 1, 16, dtype=np.float32).reshape(1, 4, 4)
    (wanted,) = answers(model, image)
    assert to_fp16(model) == {"before", "result"}
    types = types_by_node(model)
    half = {
        node.name for node in chain_model().graph.node if types[node.name] == TensorProto.FLOAT16
    }
    assert half == {"first", "between", "last"}
    assert sum(node.op_type == "Cast" for node in model.graph.node) == 2
    np.testing.assert_allclose(answers(model, image)[0], wanted, atol=1e-3)


def branching_model(depth: int) -> onnx.ModelProto:
    """image -> MatMul -> scores, which are read in graphs so many ``If`` deep alone."""
    numbers = itertools.count()

    def branch(operator: str, level: int) -> onnx.GraphProto:
        name = f"{operator} {next(numbers)}"
        node = helper.make_node(operator, ["scores"], [name], name=name)
        if level:
            node = choice(name, level - 1)
        said = helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 3, 4))
        return helper.make_graph([node], name, [], [said])

    def choice(name: str, level: int) -> onnx.NodeProto:
        graphs = {"then_branch": branch("Relu", level), "else_branch": branch("Neg", level)}
        return helper.make_node("If", ["yes"], [name], name=name, **graphs)

    weight = np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["image", "weight"], ["scores"], name="score"),
            choice("result", depth - 1),
        ],
        "branches",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, 4))],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, (1, 3, 4))],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(np.array(True), "yes"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("depth", [1, 2])
def test_inner_graphs_read_full_precision(depth: int) -> None:
    model = branching_model(depth)
    image = np.random.default_rng(0).normal(0, 1, (1, 3, 4)).astype(np.float32)
    before = answers(model, image)
    to_fp16(model)
    assert types_by_node(model)["score"] == TensorProto.FLOAT16
    np.testing.assert_allclose(answers(model, image)[0], before[0], atol=5e-3)


def test_a_model_without_products_is_refused() -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "relu",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1,))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(ModelError, match="FP16 gains nothing"):
        to_fp16(model)


def test_a_model_whose_types_do_not_fit_is_refused() -> None:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "numbers"], ["y"])],
        "mixed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (5, 5))],
        [numpy_helper.from_array(np.ones((3, 4), np.float32), "numbers")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(ModelError, match="the types of this model cannot be inferred"):
        to_fp16(model)


def test_no_operator_is_both_worth_it_and_sensitive() -> None:
    assert not PRODUCTS & SENSITIVE


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model_says_nearly_the_same_in_half(name: str) -> None:
    model, half = load_model(shipped_models()[name]), load_model(shipped_models()[name])
    prepare(half)
    to_fp16(half)
    onnx.checker.check_model(half, full_check=True)
    types = types_by_node(half)
    assert sum(kind == TensorProto.FLOAT16 for kind in types.values()) > 100
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    height, width = sizes[1].dim_value, sizes[2].dim_value
    frame, _ = next(iter(DrawnStreet(size=(width, height))))
    found, exact = (answers(which, frame.image[None]) for which in (half, model))
    assert [part.dtype for part in found] == [part.dtype for part in exact]
    assert (found[0] == exact[0]).mean() > 0.98
    assert np.abs(found[3].astype(np.float32) - exact[3].astype(np.float32)).mean() < 0.25
