# SPDX-License-Identifier: Apache-2.0
"""A model whose weights lie in a file beside it, as exporters write large ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def external_model(value: float, extra: float | None = None) -> onnx.ModelProto:
    """A sum with a weight of ``value``, and one of ``extra`` in a branch of an If."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, (4,))
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, (4,))
    weights = [numpy_helper.from_array(np.full(4, value, np.float32), "weight")]
    nodes = [helper.make_node("Add", ["image", "weight"], ["out"])]
    if extra is not None:
        weights.append(numpy_helper.from_array(np.array(True), "always"))
        nodes = [
            helper.make_node("Add", ["image", "weight"], ["sum"]),
            helper.make_node(
                "If",
                ["always"],
                ["out"],
                then_branch=_branch(extra),
                else_branch=_branch(0.0),
            ),
        ]
    graph = helper.make_graph(nodes, "external", [image], [out], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _branch(value: float) -> onnx.GraphProto:
    weight = numpy_helper.from_array(np.full(4, value, np.float32), "inner")
    out = helper.make_tensor_value_info("inner_out", TensorProto.FLOAT, (4,))
    node = helper.make_node("Add", ["sum", "inner"], ["inner_out"])
    return helper.make_graph([node], "branch", [], [out], [weight])


def write_external_model(path: Path, value: float, extra: float | None = None) -> Path:
    """Write it as ``x.onnx`` and ``x.onnx.data``; equal models but for the latter."""
    data = path.with_name(path.name + ".data")
    data.unlink(missing_ok=True)
    onnx.save_model(
        external_model(value, extra),
        str(path),
        save_as_external_data=True,
        location=data.name,
        size_threshold=0,
    )
    return path
