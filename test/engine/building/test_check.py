# SPDX-License-Identifier: Apache-2.0
"""Each thing that TensorRT will not take is found by its own drawn model, and only by that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from panoptic_ros.engine.building.check import REFUSED, SLOW, WRONG, check_model
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.models import shipped_models

FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8
Shape = Sequence[Any]


def model(
    nodes: list[onnx.NodeProto],
    kind: int = FLOAT,
    shape: Shape = (1, 2, 4, 4),
    out: tuple[int, Shape] = (FLOAT, (1, 2, 4, 4)),
    stored: Sequence[onnx.TensorProto] = (),
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", *out)],
        list(stored),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def node(operator: str, inputs: Sequence[str] = ("x",), **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), ["y"], name=operator.lower(), **attributes)


def branch(name: str) -> onnx.GraphProto:
    inner = helper.make_node("Identity", ["x"], [name])
    result = helper.make_tensor_value_info(name, FLOAT, (1, 2, 4, 4))
    return helper.make_graph([inner], name, [], [result])


GRID = numpy_helper.from_array(np.zeros((1, 4, 4, 2), np.float32), "grid")
YES = numpy_helper.from_array(np.array(True), "yes")
FAR = numpy_helper.from_array(np.array([1 << 40], np.int64), "far")
END = numpy_helper.from_array(np.array([np.iinfo(np.int64).max], np.int64), "end")
ZERO = numpy_helper.from_array(np.array([0], np.int64), "zero")

CASES = {
    "grid sample": (
        model([node("GridSample", ["x", "grid"])], stored=[GRID]),
        [(WRONG, "gridsample", "gathers")],
    ),
    "einsum": (
        model([node("Einsum", ["x"], equation="...ij->...ij")]),
        [(REFUSED, "einsum", "MatMul")],
    ),
    "einsum with named axes": (model([node("Einsum", ["x"], equation="abij->abij")]), []),
    "if": (
        model(
            [node("If", ["yes"], then_branch=branch("a"), else_branch=branch("b"))], stored=[YES]
        ),
        [(SLOW, "if", "unroll")],
    ),
    "data dependent": (
        model([node("NonZero")], out=(TensorProto.INT32, (4, 9))),
        [(REFUSED, "nonzero", "TopK")],
    ),
    "plug-in": (
        model([node("Own", domain="com.example")]),
        [(REFUSED, "own", "standard operators")],
    ),
    "bytes": (
        model([node("MaxPool", kernel_shape=[1, 1])], BYTE, out=(BYTE, (1, 2, 4, 4))),
        [(REFUSED, "maxpool", "cast to float")],
    ),
    "double": (
        model([node("Cast", to=TensorProto.DOUBLE)], out=(TensorProto.DOUBLE, (1, 2, 4, 4))),
        [(REFUSED, "cast", "float32")],
    ),
    "open shape": (model([node("Relu")], shape=("n", 2, 4, 4)), [(REFUSED, "x", "fixed sizes")]),
    "int64 output": (
        model([node("Cast", to=TensorProto.INT64)], out=(TensorProto.INT64, (1, 2, 4, 4))),
        [(REFUSED, "y", "int32")],
    ),
    "large index": (
        model([node("Slice", ["x", "zero", "far"])], stored=[ZERO, FAR]),
        [(WRONG, "far", "2147483648")],
    ),
    "large index behind floats": (
        model(
            [
                helper.make_node("GridSample", ["x", "grid"], ["z"], name="sample"),
                node("Slice", ["z", "zero", "far"]),
            ],
            stored=[GRID, ZERO, FAR],
        ),
        [(WRONG, "far", "2147483648"), (WRONG, "sample", "gathers")],
    ),
    "slice to the end": (model([node("Slice", ["x", "zero", "end"])], stored=[ZERO, END]), []),
    "plain": (model([node("Relu")]), []),
}


@pytest.mark.parametrize("name", CASES)
def test_what_tensorrt_will_not_take_is_found_with_its_fix(name: str) -> None:
    drawn, wanted = CASES[name]
    found = check_model(drawn)
    assert [(finding.severity, finding.where.split()[0]) for finding in found] == [
        (severity, where) for severity, where, _ in wanted
    ]
    for finding, (_, _, fix) in zip(found, wanted, strict=True):
        assert fix in finding.fix
        assert finding.problem


def test_the_worst_comes_first() -> None:
    nodes = [
        helper.make_node("GridSample", ["x", "grid"], ["z"], name="sample"),
        helper.make_node("Einsum", ["z"], ["y"], name="sum", equation="...ij->...ij"),
    ]
    assert [finding.severity for finding in check_model(model(nodes, stored=[GRID]))] == [
        REFUSED,
        WRONG,
    ]


def test_a_dla_core_leaves_operators_to_the_gpu() -> None:
    drawn = model([node("Softplus")])
    assert check_model(drawn) == []
    (finding,) = check_model(drawn, dla=True)
    assert (finding.severity, finding.where) == (SLOW, "softplus (Softplus)")


def test_behind_a_change_of_layout_a_dla_core_still_leaves_operators_to_the_gpu() -> None:
    turned = helper.make_node("Transpose", ["x"], ["z"], name="turn", perm=[0, 1, 3, 2])
    (finding,) = check_model(model([turned, node("Softplus", ["z"])]), dla=True)
    assert finding.where == "softplus (Softplus)"


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_nothing_is_found_in_a_shipped_model(name: str) -> None:
    shipped = load_model(shipped_models()[name])
    prepare(shipped)
    assert check_model(shipped) == []
