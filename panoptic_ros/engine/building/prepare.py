# SPDX-License-Identifier: Apache-2.0
"""Rewrite what TensorRT refuses without changing what a model computes.

Two things of a model file that ONNX Runtime takes stop TensorRT (found with TensorRT for RTX
1.7): a ``uint8`` tensor may be cast and nothing else, so a ``Transpose`` before the cast fails
(``panoptic export`` casts first, older and foreign files do not); and a weight behind a ``Cast``
is a computed tensor, not a weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.onnx_file import DAMAGED, file_metadata

LAYOUT_OPERATORS = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Identity", "Flatten")
"""Operators that move numbers and never change one, so a cast may go before them."""


def load_model(path: Path) -> Any:
    """Read an ONNX file.

    Returns:
        An ``onnx.ModelProto``.

    Raises:
        ModelError: onnx is not installed, or the file is not an ONNX model.
    """
    try:
        import onnx
    except ImportError as error:
        raise ModelError(
            f"{path.name}: reading its graph needs onnx, which is not installed; run: "
            "pip install onnx"
        ) from error
    try:
        model = onnx.load(str(path))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:  # protobuf's own exception types differ by version
        file_metadata(path)  # says in plain words that it is no whole model
        raise ModelError(f"{path}: is not an ONNX model ({error}); export it again") from error
    if not model.HasField("graph"):
        raise ModelError(f"{path}: {DAMAGED}")
    return model


def prepare(model: Any) -> None:
    """Rewrite a model in place for TensorRT's parser; its outputs stay bit for bit the same."""
    store_constants(model)
    fold_weight_casts(model)
    move_casts(model)


def move_casts(model: Any) -> None:
    """Put casts of uint8 before what only moves numbers, in place."""
    while _move_one_cast(model.graph):
        pass


def store_constants(model: Any) -> None:
    """Turn every ``Constant`` node into a stored tensor, in place; one kind is left."""
    graph = model.graph
    outputs = {output.name for output in graph.output}
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        value = attribute(node, "value")
        if value is None or node.output[0] in outputs:
            continue
        tensor = graph.initializer.add()
        tensor.CopyFrom(value)
        tensor.name = node.output[0]
        graph.node.remove(node)


def fold_weight_casts(model: Any) -> int:
    """Turn every ``Cast`` of a stored tensor into a stored tensor of the wanted type, in place.

    Returns:
        How many there were.
    """
    from onnx import helper, numpy_helper

    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    outputs = {output.name for output in graph.output}
    casts = [
        node
        for node in graph.node
        if node.op_type == "Cast" and node.input[0] in stored and node.output[0] not in outputs
    ]
    for node in casts:
        wanted = helper.tensor_dtype_to_np_dtype(attribute(node, "to"))
        values = numpy_helper.to_array(stored[node.input[0]]).astype(wanted)
        graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        graph.node.remove(node)
    drop_unused_weights(graph)
    return len(casts)


def drop_unused_weights(graph: Any) -> None:
    """Remove stored tensors that nothing reads, in place."""
    used = {name for node in graph.node for name in node.input}
    used |= {output.name for output in graph.output}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)


def attribute(node: Any, name: str, default: Any = None) -> Any:
    """Value of a node's attribute, ``default`` where it has none of that name."""
    from onnx import helper

    for entry in node.attribute:
        if entry.name == name:
            return helper.get_attribute_value(entry)
    return default


def uint8_tensors(graph: Any) -> set[str]:
    """Names of the tensors that are certainly ``uint8``: inputs, casts, and what moves those."""
    from onnx import TensorProto

    found = {
        entry.name
        for entry in graph.input
        if entry.type.tensor_type.elem_type == TensorProto.UINT8
    }
    for node in graph.node:
        cast = node.op_type == "Cast" and attribute(node, "to") == TensorProto.UINT8
        if cast or (node.op_type in LAYOUT_OPERATORS and node.input[0] in found):
            found.update(node.output)
    return found


def _move_one_cast(graph: Any) -> bool:
    """Swap one pair of (mover of uint8, cast from it); say whether there was one."""
    for mover, cast in _swappable(graph):
        before, middle, after = mover.input[0], mover.output[0], cast.output[0]
        position = list(graph.node).index(mover)
        graph.node.remove(cast)
        cast.input[0], cast.output[0] = before, middle + "_cast"
        mover.input[0], mover.output[0] = middle + "_cast", after
        graph.node.insert(position, cast)
        _forget_type(graph, middle)
        return True
    return False


def _swappable(graph: Any) -> Iterator[tuple[Any, Any]]:
    bytes_ = uint8_tensors(graph)
    outputs = {output.name for output in graph.output}
    for mover in graph.node:
        if mover.op_type not in LAYOUT_OPERATORS or mover.input[0] not in bytes_:
            continue
        readers = [node for node in graph.node if mover.output[0] in node.input]
        if mover.output[0] in outputs or len(readers) != 1 or readers[0].op_type != "Cast":
            continue
        yield mover, readers[0]


def _forget_type(graph: Any, name: str) -> None:
    for entry in [entry for entry in graph.value_info if entry.name == name]:
        graph.value_info.remove(entry)


def set_batch(model: Any, batch: int) -> None:
    """Let a model of one image take several at once, in place.

    Args:
        model: A model whose inputs and outputs begin with a size of 1.
        batch: Images in one inference.

    Raises:
        ModelError: The model fixes the number of images inside.
    """
    import onnx

    if batch == 1:
        return
    graph = model.graph
    for entry in [*graph.input, *graph.output]:
        entry.type.tensor_type.shape.dim[0].dim_value = batch
    del graph.value_info[:]
    try:
        onnx.shape_inference.infer_shapes(model, strict_mode=True, check_type=True)
    except Exception as error:  # the bindings raise several types
        raise ModelError(
            f"this model cannot take {batch} images at once, its graph is made for one "
            f"({str(error).strip().splitlines()[-1]}); build it with --batch 1"
        ) from error
