# SPDX-License-Identifier: Apache-2.0
"""Work out what does not depend on the image, so that a graph holds only what does.

Networks that take images of any size compute shapes, positions and masks in their graphs. At a
fixed size these are numbers; left in, they are thousands of int64 operators in every TensorRT
build.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

_MOST_BYTES = 1 << 26
"""Larger results stay computed: they would only make the file larger."""

_INT32 = np.iinfo(np.int32)

Known = dict[str, NDArray[Any]]


def fold_constants(model: onnx.ModelProto) -> None:
    """Replace everything that is the same for every image by stored numbers, in place.

    Args:
        model: A model with fixed input shapes; its outputs stay what they were.
    """
    while _fold_once(model):
        pass
    _clip_slices(model.graph)


def _fold_once(model: onnx.ModelProto) -> int:
    """Fold what is known; say how many nodes that took away."""
    graph = model.graph
    shapes = _static_shapes(model)
    known: Known = {}
    weights = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        results = _results(node, known, weights, shapes, _opset(model))
        if results is None:
            kept.append(node)
        else:
            known.update(zip(node.output, results, strict=True))
    outputs = {entry.name for entry in graph.output}
    folded = len(graph.node) - len(kept)
    del graph.node[:]
    graph.node.extend(kept)
    used = {name for node in kept for name in node.input} | outputs
    for name, value in known.items():
        if name in used:
            graph.initializer.append(numpy_helper.from_array(value, name))
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    del graph.value_info[:]
    return folded


def _results(
    node: onnx.NodeProto,
    known: Known,
    weights: dict[str, onnx.TensorProto],
    shapes: dict[str, tuple[int, ...]],
    opset: int,
) -> list[NDArray[Any]] | None:
    """Outputs of a node as numbers; None where it depends on the image or is left alone."""
    if node.op_type == "Shape" and node.input[0] in shapes and not node.attribute:
        return [np.array(shapes[node.input[0]], np.int64)]
    inputs = [name for name in node.input if name]
    if any(name not in known and name not in weights for name in inputs):
        return None
    if any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute):
        return None
    feeds = {
        name: known[name] if name in known else numpy_helper.to_array(weights[name])
        for name in inputs
    }
    results = _evaluated(node, feeds, opset)
    if node.op_type != "Constant" and sum(value.nbytes for value in results) > _MOST_BYTES:
        return None
    return results


def _evaluated(node: onnx.NodeProto, feeds: Known, opset: int) -> list[NDArray[Any]]:
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_value_info(name, onnx.TypeProto()) for name in feeds],
        [helper.make_value_info(name, onnx.TypeProto()) for name in node.output],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    found: Any = ReferenceEvaluator(model).run(None, feeds)
    return [np.asarray(value) for value in found]


def _opset(model: onnx.ModelProto) -> int:
    return int(next(entry.version for entry in model.opset_import if entry.domain == ""))


def _static_shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {}
    for entry in [*inferred.input, *inferred.value_info, *inferred.output]:
        sizes = entry.type.tensor_type.shape.dim
        known = entry.type.tensor_type.HasField("shape")
        if known and all(size.HasField("dim_value") for size in sizes):
            shapes[entry.name] = tuple(size.dim_value for size in sizes)
    return shapes


def _clip_slices(graph: onnx.GraphProto) -> None:
    """Write "to the end" of slices as an int32 number, which TensorRT 8.6 needs, in place."""
    places = {name for node in graph.node if node.op_type == "Slice" for name in node.input[1:3]}
    for tensor in graph.initializer:
        if tensor.name in places and tensor.data_type == onnx.TensorProto.INT64:
            values = np.clip(numpy_helper.to_array(tensor), _INT32.min, _INT32.max)
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.int64), tensor.name))
