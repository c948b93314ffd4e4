# SPDX-License-Identifier: Apache-2.0
"""A segmentation model of somebody else: which image it takes, and what its output means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import METADATA_KEY
from panoptic_ros.engine.building.prepare import load_model
from panoptic_ros.engine.onnx_file import weight_files

NCHW, NHWC = "nchw", "nhwc"
LEAST_OPSET = 11
"""The first whose Resize knows half-pixel centres."""

CHANNEL_AXIS = {NCHW: 1, NHWC: 3}
_TYPES = {1: "float32", 2: "uint8", 10: "float16", 11: "float64"}
"""Numbers of ``onnx.TensorProto.DataType`` that an image may have."""


@dataclass(frozen=True)
class ForeignInput:
    """What a model takes.

    Attributes:
        name: Of the tensor.
        dtype: NumPy's name of its type.
        layout: ``nchw`` or ``nhwc``.
        height: Pixels.
        width: Pixels.
        is_size_open: Whether the model takes other sizes as well.
    """

    name: str
    dtype: str
    layout: str
    height: int
    width: int
    is_size_open: bool = False


@dataclass(frozen=True)
class ForeignOutput:
    """What an output holds.

    Attributes:
        name: Of the tensor.
        layout: ``nchw`` or ``nhwc`` of scores; empty for a map of classes.
        height: Of the map, in pixels.
        width: Of the map, in pixels.
        is_probability: Whether scores are probabilities already, or logits.
    """

    name: str
    layout: str
    height: int
    width: int
    is_probability: bool = False


def load_foreign(path: Path) -> Any:
    """Read a model that is not ours, with its weights, wherever they lie.

    Returns:
        An ``onnx.ModelProto``.

    Raises:
        ModelError: It cannot be read, is ours already, or is too old.
    """
    for name in weight_files(path):
        if not (path.parent / name).is_file():
            raise ModelError(
                f"{path}: its weights are in the file {name}, which is missing; put it beside "
                "the model"
            )
    model = load_model(path)
    if not model.graph.node:
        raise ModelError(f"{path}: is not an ONNX model (it has no operators)")
    if any(entry.key == METADATA_KEY for entry in model.metadata_props):
        raise ModelError(f"{path}: describes itself already; it runs as it is")
    found = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not found or found[0] < LEAST_OPSET:
        raise ModelError(
            f"{path}: is of opset {found[0] if found else 'unknown'}, needs {LEAST_OPSET} or "
            "newer; export it again, or convert it with onnx.version_converter"
        )
    return model


def opset_of(model: Any) -> int:
    """Version of the standard operators that a loaded model uses."""
    return int(next(e.version for e in model.opset_import if e.domain in ("", "ai.onnx")))


def read_input(
    model: Any, where: str, layout: str = "", size: tuple[int, int] | None = None
) -> ForeignInput:
    """Say which image a model takes.

    Args:
        model: An ``onnx.ModelProto``.
        where: The file's name, for messages.
        layout: ``nchw`` or ``nhwc`` where the shape leaves it open, else empty.
        size: (width, height) where the shape leaves it open.

    Raises:
        ModelError: It takes no single image of three channels, or the shape leaves open what
            nobody says.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [entry for entry in model.graph.input if entry.name not in stored]
    if len(inputs) != 1:
        names = ", ".join(repr(entry.name) for entry in inputs) or "none"
        raise ModelError(f"{where}: has {len(inputs)} inputs ({names}), needs one: the image")
    kind = inputs[0].type.tensor_type
    sizes = [dim.dim_value or dim.dim_param or "?" for dim in kind.shape.dim]
    words = f"{where}: its input {inputs[0].name!r} is ({', '.join(map(str, sizes))})"
    if kind.elem_type not in _TYPES:
        raise ModelError(f"{words} of another type, needs {', '.join(_TYPES.values())}")
    if len(sizes) != 4:
        raise ModelError(f"{words}, needs four axes")
    if sizes[0] not in (1, *_open(sizes)):
        raise ModelError(f"{words}: its batch is {sizes[0]}; needs 1 or an open one")
    layout = _layout(sizes, layout, words)
    sides = sizes[2:] if layout == NCHW else sizes[1:3]
    height, width = _size(sides, size, words)
    is_open = len(_open(sides)) == len(sides)
    return ForeignInput(inputs[0].name, _TYPES[kind.elem_type], layout, height, width, is_open)


def _open(sizes: Sequence[int | str]) -> list[str]:
    return [size for size in sizes if isinstance(size, str)]


def _layout(sizes: Sequence[int | str], said: str, words: str) -> str:
    """Find the axis of the three channels."""
    possible = [name for name, axis in CHANNEL_AXIS.items() if sizes[axis] == 3]
    # An open axis may be the channels only where no axis is certain to be.
    possible = possible or [n for n, axis in CHANNEL_AXIS.items() if isinstance(sizes[axis], str)]
    if not possible or (said and said not in possible):
        raise ModelError(f"{words}, needs three channels{f' in layout {said}' if said else ''}")
    if not said and len(possible) > 1:
        raise ModelError(f"{words}, which leaves the layout open; add --input nchw or nhwc")
    return said or possible[0]


def _size(sizes: Sequence[int | str], said: tuple[int, int] | None, words: str) -> tuple[int, int]:
    """Find (height, width)."""
    if said is None:
        if _open(sizes):
            raise ModelError(f"{words}, which leaves the size open; add --size WIDTHxHEIGHT")
        return int(sizes[0]), int(sizes[1])
    wanted = (said[1], said[0])
    if any(size not in (need, *_open(sizes)) for size, need in zip(sizes, wanted, strict=True)):
        raise ModelError(f"{words}, which is not --size {said[0]}x{said[1]}")
    return wanted


def output_shapes(model: Any) -> dict[str, str]:
    """Say which outputs a model has.

    Returns:
        Name of each output, and its shape in words as far as the file states one.
    """
    return {each.name: _shape_words(each.type.tensor_type) for each in model.graph.output}


def _shape_words(kind: Any) -> str:
    if not kind.HasField("shape"):
        return ""
    sizes = [str(dim.dim_value or dim.dim_param or "?") for dim in kind.shape.dim]
    return f"({', '.join(sizes)})"


def choose_output(found: Mapping[str, str], wanted: str, where: str) -> str:
    """Choose the output with the classes.

    Args:
        found: Names of the model's outputs, and their shapes in words.
        wanted: What the user says, empty for nothing.
        where: The file's name, for messages.

    Raises:
        ModelError: There is none of that name, or several and nothing was said.
    """
    names = ", ".join(f"{name} {shape}".strip() for name, shape in found.items())
    if wanted and wanted not in found:
        raise ModelError(f"{where}: has no output {wanted!r}; it has: {names}")
    if not wanted and len(found) != 1:
        raise ModelError(
            f"{where}: has {len(found)} outputs; add --output with that of the classes: {names}"
        )
    return wanted or next(iter(found))


def read_output(
    name: str, values: NDArray[Any], classes: int, entry: ForeignInput, where: str
) -> ForeignOutput:
    """Say what an output means.

    Args:
        name: Of the output.
        values: What it gave for one image.
        classes: Of the label set.
        entry: The input; its sides tell where several axes could be the classes.
        where: The file's name, for messages.

    Raises:
        ModelError: It is neither a score for each class nor a map of classes.
    """
    shape = values.shape
    words = f"{where}: its output {name!r} is {values.dtype} {shape}"
    squeezed = shape[1:] if len(shape) in (3, 4) and shape[0] == 1 else shape
    scores = _scores_layout(squeezed, classes, entry)
    if values.dtype.kind not in "iufb":
        raise ModelError(f"{words}, needs numbers")
    if scores:
        height, width = squeezed[1:] if scores == NCHW else squeezed[:2]
        return ForeignOutput(name, scores, height, width, _is_probability(values, shape, scores))
    if len(squeezed) == 3 and 1 in (squeezed[0], squeezed[2]):
        squeezed = squeezed[1:] if squeezed[0] == 1 else squeezed[:2]
    _check_map(squeezed, values, classes, entry, words)
    return ForeignOutput(name, "", squeezed[0], squeezed[1])


def _check_map(
    shape: tuple[int, ...], values: NDArray[Any], classes: int, entry: ForeignInput, words: str
) -> None:
    """Refuse what is no map of classes.

    Raises:
        ModelError: It has other axes than an image, another shape, or values that are no indices.
    """
    if len(shape) != 2:
        raise ModelError(
            f"{words}, needs a score for each of the {classes} classes of the label set, or a map "
            "of class indices; --labels names another set, --output another output"
        )
    # A stride that does not divide the image rounds its sides.
    if 0 in shape or not 0.8 < shape[0] * entry.width / (shape[1] * entry.height) < 1.25:
        raise ModelError(
            f"{words}, which does not have the shape of an image; detectors and classifiers "
            "give no class for every pixel and cannot be adopted; --output names another output"
        )
    if not (np.isfinite(values).all() and (values == np.round(values)).all()):
        raise ModelError(
            f"{words}, a map whose values are no class indices but something like a probability "
            "or a depth; export the model with a score for each class, or name another output "
            "with --output"
        )


def _scores_layout(shape: tuple[int, ...], classes: int, entry: ForeignInput) -> str:
    """Layout of scores of one image, empty where the shape is not one of scores."""
    if len(shape) != 3 or classes < 2:
        return ""
    sides = {NCHW: shape[1:], NHWC: shape[:2]}
    possible = [name for name, axis in ((NCHW, 0), (NHWC, 2)) if shape[axis] == classes]
    # The right one has the image's shape; where that leaves both, it is as the input.
    possible.sort(
        key=lambda name: (
            sides[name][0] * entry.width != sides[name][1] * entry.height,
            name != entry.layout,
        )
    )
    return possible[0] if possible else ""


def _is_probability(values: NDArray[Any], shape: tuple[int, ...], layout: str) -> bool:
    """Whether scores add up to 1 in every pixel, as those behind a soft-max do."""
    axis = len(shape) - (3 if layout == NCHW else 1)
    numbers = values.astype(np.float64)
    return bool(numbers.min() >= 0.0 and (np.abs(numbers.sum(axis) - 1.0) < 0.02).all())
