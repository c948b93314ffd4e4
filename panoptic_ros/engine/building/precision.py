# SPDX-License-Identifier: Apache-2.0
"""Half precision written into the ONNX graph, where every TensorRT since 10 takes it from.

FP16 lies between the first and the last matrix product of a network, where the time is spent.
What comes before (normalisation of bytes), what comes after (soft-max, arg-max, peaks) and what
is sensitive in between (norms, soft-max of attention, coordinates) stays in FP32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.prepare import drop_unused_weights

PRODUCTS = frozenset({"Conv", "ConvTranspose", "MatMul", "Gemm", "Einsum"})
"""The operators that gain from FP16; they add up in FP32 on every GPU that we run on."""

SENSITIVE = frozenset(
    {
        "Softmax",
        "LogSoftmax",
        "LayerNormalization",
        "InstanceNormalization",
        "GroupNormalization",
        "BatchNormalization",
        "LpNormalization",
        "ReduceMean",
        "ReduceSum",
        "ReduceL2",
        "ReduceSumSquare",
        "Pow",
        "Sqrt",
        "Reciprocal",
        "Exp",
        "Log",
        "Sin",
        "Cos",
        "TopK",
        "ArgMax",
        "GridSample",
        "CumSum",
        "Range",
    }
)
"""Sums of many terms, wide ranges, and coordinates: FP16 has 11 bits and ends at 65504."""

_PAIRS = {"QuantizeLinear", "DequantizeLinear"}
_UNTYPED = {"Cast", "Shape", "Size", "Constant"} | _PAIRS
_FLOAT_INPUTS = {"Resize": (0,), "Upsample": (0,)}
"""Inputs that follow the type of the image; the others of these operators are always FP32."""

_MARK = "_fp16"
_LARGEST = float(np.finfo(np.float16).max)


def to_fp16(model: Any) -> frozenset[str]:
    """Write FP16 into a prepared model, in place; its inputs and outputs keep their types.

    Args:
        model: An ``onnx.ModelProto`` after ``prepare``.

    Returns:
        Names of the nodes that stay in FP32, for builders that take precision from flags.

    Raises:
        ModelError: A weight does not fit in FP16, or there is nothing to convert.
    """
    floats = float_tensors(model)
    chosen = half_nodes(model.graph, floats)
    if not chosen:
        raise ModelError(
            "this model has no convolution or matrix product in FP32, so FP16 gains nothing; "
            "build it with --precision fp32"
        )
    names = _other_names(model.graph, chosen)
    _rewrite(model.graph, chosen, floats)
    del model.graph.value_info[:]
    drop_unused_weights(model.graph)
    return names


def full_nodes(model: Any) -> frozenset[str]:
    """Names of the nodes that must not compute in FP16, of a model that keeps its types."""
    return _other_names(model.graph, half_nodes(model.graph, float_tensors(model)))


def _other_names(graph: Any, chosen: set[int]) -> frozenset[str]:
    return frozenset(
        node.name
        for index, node in enumerate(graph.node)
        # Pairs around INT8 take their type from their scale.
        if index not in chosen and node.op_type not in _PAIRS
    )


def half_nodes(graph: Any, floats: set[str]) -> set[int]:
    """Choose the nodes that compute in FP16.

    Args:
        graph: The graph of a prepared model.
        floats: Names of its FP32 tensors.

    Returns:
        Their indices.
    """
    nodes = list(graph.node)
    after: set[str] = set()
    for node in nodes:
        if node.op_type in PRODUCTS or any(name in after for name in node.input):
            after.update(node.output)
    before: set[str] = set()
    for node in reversed(nodes):
        if node.op_type in PRODUCTS or any(name in before for name in node.output):
            before.update(node.input)
    return {
        index
        for index, node in enumerate(nodes)
        if node.op_type in PRODUCTS
        or (
            any(name in after for name in node.input)
            and any(name in before for name in node.output)
        )
        if _can_be_half(node, floats)
    }


def _can_be_half(node: Any, floats: set[str]) -> bool:
    inside = any(entry.HasField("g") or entry.graphs for entry in node.attribute)
    if inside or node.op_type in SENSITIVE or node.op_type in _UNTYPED:
        return False
    return any(name in floats for name in node.output)


def float_tensors(model: Any) -> set[str]:
    """Names of all FP32 tensors of a model.

    Raises:
        ModelError: Its types cannot be inferred.
    """
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    except Exception as error:  # the bindings raise several types
        raise ModelError(f"the types of this model cannot be inferred ({error})") from error
    entries = [*inferred.value_info, *inferred.input, *inferred.output]
    full = onnx.TensorProto.FLOAT
    names = {entry.name for entry in entries if entry.type.tensor_type.elem_type == full}
    return names | {entry.name for entry in inferred.initializer if entry.data_type == full}


def _rewrite(graph: Any, chosen: set[int], floats: set[str]) -> None:
    """Give the chosen nodes half tensors and put casts where the types change."""
    from onnx import TensorProto, helper

    nodes = list(graph.node)
    made = {name for index in chosen for name in nodes[index].output if name in floats}
    full = _read_in_full(graph, nodes, chosen)
    stored = {tensor.name: tensor for tensor in graph.initializer}
    ready: set[str] = set()
    result = []
    for index, node in enumerate(nodes):
        if index in chosen:
            for name in _half_inputs(node, floats):
                if name + _MARK in ready or name in made:
                    continue
                ready.add(name + _MARK)
                if name in stored:
                    graph.initializer.append(_half_weight(stored[name]))
                else:
                    result.append(_cast(helper, name, name + _MARK, TensorProto.FLOAT16))
            _rename(node, floats)
        elif node.op_type == "Cast" and node.input[0] in made:
            node.input[0] += _MARK
        result.append(node)
        if index in chosen:
            outputs = [name[: -len(_MARK)] for name in node.output if name.endswith(_MARK)]
            result += [
                _cast(helper, name + _MARK, name, TensorProto.FLOAT)
                for name in outputs
                if name in full
            ]
    del graph.node[:]
    graph.node.extend(result)


def _half_inputs(node: Any, floats: set[str]) -> list[str]:
    typed = _FLOAT_INPUTS.get(node.op_type)
    return [
        name
        for position, name in enumerate(node.input)
        if name in floats and (typed is None or position in typed)
    ]


def _rename(node: Any, floats: set[str]) -> None:
    wanted = set(_half_inputs(node, floats))
    typed = _FLOAT_INPUTS.get(node.op_type)
    for position, name in enumerate(node.input):
        if name in wanted and (typed is None or position in typed):
            node.input[position] = name + _MARK
    for position, name in enumerate(node.output):
        if name in floats:
            node.output[position] = name + _MARK


def _read_in_full(graph: Any, nodes: list[Any], chosen: set[int]) -> set[str]:
    """Names that somebody reads in FP32: other nodes, the model's outputs, inner graphs."""
    names = {output.name for output in graph.output}
    for index, node in enumerate(nodes):
        if index in chosen:
            typed = _FLOAT_INPUTS.get(node.op_type)
            if typed is not None:
                names.update(name for at, name in enumerate(node.input) if at not in typed)
        elif node.op_type != "Cast":
            names.update(node.input)
            names.update(_captured(node))
    return names


def _captured(node: Any) -> set[str]:
    """Names that the graphs inside of a node (``If``, ``Loop``) read."""
    found: set[str] = set()
    for entry in node.attribute:
        for graph in [entry.g] if entry.HasField("g") else list(entry.graphs):
            for inner in graph.node:
                found |= set(inner.input) | _captured(inner)
    return found


def _half_weight(tensor: Any) -> Any:
    """Convert a weight.

    Raises:
        ModelError: A value is beyond FP16.
    """
    from onnx import numpy_helper

    values = numpy_helper.to_array(tensor)
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest > _LARGEST:
        raise ModelError(
            f"weight {tensor.name} holds {largest:g}, FP16 ends at {_LARGEST:g}; "
            "build it with --precision fp32"
        )
    return numpy_helper.from_array(values.astype(np.float16), tensor.name + _MARK)


def _cast(helper: Any, source: str, target: str, to: int) -> Any:
    return helper.make_node("Cast", [source], [target], name=f"cast {target}", to=to)
