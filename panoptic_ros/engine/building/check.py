# SPDX-License-Identifier: Apache-2.0
"""What TensorRT or a DLA core will refuse or get wrong in a model, with the fix, before a build.

Sources: the operator tables of onnx-tensorrt and of the DLA chapter in NVIDIA's documentation,
and the issues of NVIDIA/TensorRT that are named in the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from panoptic_ros.engine.building.prepare import LAYOUT_OPERATORS, attribute, uint8_tensors

REFUSED, WRONG, SLOW = "refused", "wrong", "slow"

DLA_OPERATORS = frozenset(
    {
        "Conv",
        "ConvTranspose",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "Relu",
        "Clip",
        "Sigmoid",
        "Tanh",
        "PRelu",
        "LeakyRelu",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Max",
        "Min",
        "Concat",
        "Slice",
        "Resize",
        "Softmax",
        "Gemm",
        "BatchNormalization",
    }
)
"""What a DLA core can run at all; its limits on sizes and strides are left to the builder."""


@dataclass(frozen=True)
class Finding:
    """Something in a model that will not work.

    Attributes:
        severity: ``refused``, ``wrong`` (builds, but the numbers are wrong) or ``slow``.
        where: Node or tensor, and its operator.
        problem: What happens.
        fix: What to do.
    """

    severity: str
    where: str
    problem: str
    fix: str


def check_model(model: Any, dla: bool = False) -> list[Finding]:
    """List what will not work.

    Args:
        model: An ``onnx.ModelProto`` after ``prepare``.
        dla: Whether it goes to a DLA core.

    Returns:
        Findings, the worst first; empty where nothing is known against the model.
    """
    found = [*_tensors(model), *_nodes(model.graph, _all_tensor_types(model))]
    if dla:
        found += _dla(model.graph)
    return sorted(found, key=lambda finding: (REFUSED, WRONG, SLOW).index(finding.severity))


def _tensors(model: Any) -> Iterator[Finding]:
    """Look at inputs, outputs and stored tensors."""
    from onnx import TensorProto, numpy_helper

    for entry in [*model.graph.input, *model.graph.output]:
        kind = entry.type.tensor_type
        if any(not size.HasField("dim_value") for size in kind.shape.dim):
            yield Finding(
                REFUSED,
                entry.name,
                "its shape is not fixed; plans here have one shape",
                "export with fixed sizes (no dynamic_axes)",
            )
        if kind.elem_type == TensorProto.INT64:
            yield Finding(
                REFUSED,
                entry.name,
                "is int64, which TensorRT before 10 does not pass in or out",
                "cast it to int32 inside of the graph",
            )
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.INT64:
            continue
        values = numpy_helper.to_array(tensor)
        limit = np.iinfo(np.int32)
        # Slices end at the largest int64; that one is understood.
        ends = (values == np.iinfo(np.int64).max) | (values == np.iinfo(np.int64).min)
        if ((values > limit.max) | (values < limit.min))[~ends].any():
            yield Finding(
                WRONG,
                tensor.name,
                "holds int64 values beyond int32, which TensorRT 8.6 cuts off",
                "keep indices below 2147483648, or compute in float",
            )


def _nodes(graph: Any, types: dict[str, int]) -> Iterator[Finding]:
    bytes_ = uint8_tensors(graph)
    for node in graph.node:
        where = f"{node.name or node.output[0]} ({node.op_type})"
        for rule in _RULES:
            finding = rule(node, where)
            if finding is not None:
                yield finding
        if node.op_type != "Cast" and any(name in bytes_ for name in node.input):
            yield Finding(REFUSED, where, "computes on uint8", "cast to float before it")
        if any(types.get(name) == _DOUBLE for name in node.output):
            yield Finding(REFUSED, where, "computes in float64", "export the model in float32")


_DOUBLE = 11
"""``onnx.TensorProto.DOUBLE``."""


def _all_tensor_types(model: Any) -> dict[str, int]:
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # an operator that onnx does not know ends it; the rules name that one
        inferred = model.graph
    entries = [*inferred.value_info, *inferred.input, *inferred.output]
    return {entry.name: int(entry.type.tensor_type.elem_type) for entry in entries}


Rule = Callable[[Any, str], "Finding | None"]


def _grid_sample(node: Any, where: str) -> Finding | None:
    if node.op_type != "GridSample":
        return None
    return Finding(
        WRONG,
        where,
        "TensorRT 10.14 to 11.1 computes it wrongly without a word (NVIDIA/TensorRT #4813, #4646)",
        "sample with gathers: four corner indices, four weights",
    )


def _einsum(node: Any, where: str) -> Finding | None:
    if node.op_type != "Einsum" or b"..." not in (attribute(node, "equation") or b""):
        return None
    return Finding(
        REFUSED,
        where,
        "its equation has an ellipsis, which TensorRT reads from 10.12 on only",
        "write it as MatMul with Transpose and Reshape, or name every axis",
    )


def _control_flow(node: Any, where: str) -> Finding | None:
    if node.op_type not in ("If", "Loop", "Scan"):
        return None
    return Finding(
        SLOW,
        where,
        "control flow splits the plan and keeps it out of CUDA graphs; a DLA core refuses it",
        "export with fixed shapes so that the branch is decided, or unroll the loop",
    )


def _data_dependent(node: Any, where: str) -> Finding | None:
    if node.op_type not in ("NonZero", "NonMaxSuppression", "Unique", "Compress"):
        return None
    return Finding(
        REFUSED,
        where,
        "the size of its result depends on the image; plans here have fixed shapes",
        "use TopK with a fixed number, or leave this step to the decoder",
    )


def _foreign(node: Any, where: str) -> Finding | None:
    if node.domain in ("", "ai.onnx"):
        return None
    return Finding(
        REFUSED,
        where,
        f"is of the domain {node.domain}, for which TensorRT needs a plug-in",
        "export with standard operators only",
    )


_RULES: tuple[Rule, ...] = (_grid_sample, _einsum, _control_flow, _data_dependent, _foreign)


def _dla(graph: Any) -> Iterator[Finding]:
    """Say which operators leave the DLA core for the GPU, one finding for each kind."""
    left: dict[str, list[str]] = {}
    for node in graph.node:
        if node.op_type not in DLA_OPERATORS:
            left.setdefault(node.op_type, []).append(node.name or node.output[0])
    for operator, names in left.items():
        if operator in LAYOUT_OPERATORS or operator == "Cast":
            continue
        yield Finding(
            SLOW,
            f"{names[0]} ({operator})",
            f"{len(names)} of these run on the GPU, as DLA cores lack the operator",
            "accept the GPU's part, or replace the operator",
        )
