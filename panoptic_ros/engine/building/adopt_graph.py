# SPDX-License-Identifier: Apache-2.0
"""The operators before and behind a model of somebody else, in the opset that it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.semantic import KIND
from panoptic_ros.engine.building.foreign import NCHW, NHWC, ForeignInput, ForeignOutput
from panoptic_ros.engine.heads import INPUT

_FLOAT, _UINT8 = 1, 2
_TYPES = {"float32": 1, "float16": 10, "float64": 11}
"""Numbers of ``onnx.TensorProto.DataType``."""

_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
_HIGHEST_LABEL = 254.0


@dataclass(frozen=True)
class Preprocessing:
    """What a model wants done to the bytes of an image: (byte * scale - mean) / deviation.

    Attributes:
        color: Order of its channels, ``rgb`` or ``bgr``.
        scale: Factor of the bytes.
        mean: Subtracted then, in the order of the model's channels.
        deviation: Divisor then, in the order of the model's channels.
    """

    color: str = "rgb"
    scale: float = 1.0 / 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def is_plain(self) -> bool:
        """Whether the numbers are the usual ones."""
        return replace(self, color="rgb") == Preprocessing()


class Nodes:
    """Operators that are added to a graph, and the tensors that they need.

    Args:
        opset: Version of the standard operators.
        name: What the names of all of them begin with.
    """

    def __init__(self, opset: int, name: str) -> None:
        self._opset = opset
        self._name = name
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator with one output; returns the output's name."""
        from onnx import helper

        name = f"{self._name}/{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """Add a stored tensor; returns its name."""
        from onnx import numpy_helper

        name = f"{self._name}/constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def number(self, value: float) -> str:
        """Add a single number in FP32; returns its name."""
        return self.constant(np.array(value, np.float32))

    def reduce(self, operator: str, value: str, since: int) -> str:
        """Reduce the channels of NCHW; ``since`` is the opset from which axes are an input."""
        if self._opset >= since:
            return self.add(operator, value, self.constant(np.array([1], np.int64)), keepdims=1)
        return self.add(operator, value, axes=[1], keepdims=1)

    def resize(self, value: str, shape: Sequence[int]) -> str:
        """Resize to a shape as PyTorch does: bilinear, half-pixel centres."""
        # Opset 11 knows no absent regions and scales; empty ones mean the same.
        absent = "" if self._opset >= 13 else self.constant(np.zeros(0, np.float32))
        sizes = self.constant(np.array(shape, np.int64))
        mode = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self.add("Resize", value, absent, absent, sizes, **mode)

    def give_name(self, value: str, name: str) -> None:
        """Give a tensor a name that others know, the one that was added last for free."""
        from onnx import helper

        if self.nodes and self.nodes[-1].output[0] == value:
            self.nodes[-1].output[0] = name
            return
        title = f"{self._name}/{name}"
        self.nodes.append(helper.make_node("Identity", [value], [name], name=title))


def preprocess(nodes: Nodes, entry: ForeignInput, name: str, wanted: Preprocessing) -> None:
    """Add what comes between our image and the model's input.

    An image of bytes is only moved; any other is cast first, which is what TensorRT and
    ``panoptic export --camera-size`` need.

    Args:
        nodes: Where to add it.
        entry: The model's input.
        name: That input's tensor.
        wanted: What the model wants done.
    """
    as_bytes = entry.dtype == "uint8"
    value = INPUT
    if not as_bytes:
        value = nodes.add("Cast", value, to=_FLOAT)
    if not as_bytes or entry.layout == NCHW:
        value = nodes.add("Transpose", value, perm=_TO_CHANNELS_FIRST)
    if wanted.color == "bgr":
        order = nodes.constant(np.array([2, 1, 0], np.int64))
        axis = 3 if as_bytes and entry.layout == NHWC else 1
        value = nodes.add("Gather", value, order, axis=axis)
    if not as_bytes:
        value = _normalize(nodes, value, wanted)
        if entry.layout == NHWC:
            value = nodes.add("Transpose", value, perm=_TO_CHANNELS_LAST)
        if entry.dtype != "float32":
            value = nodes.add("Cast", value, to=_TYPES[entry.dtype])
    nodes.give_name(value, name)


def _normalize(nodes: Nodes, value: str, wanted: Preprocessing) -> str:
    deviation = np.array(wanted.deviation, np.float64).reshape(1, 3, 1, 1)
    shift = -np.array(wanted.mean, np.float64).reshape(1, 3, 1, 1) / deviation
    scale = wanted.scale / deviation
    if (scale != 1.0).any():
        value = nodes.add("Mul", value, nodes.constant(scale.astype(np.float32)))
    if shift.any():
        value = nodes.add("Add", value, nodes.constant(shift.astype(np.float32)))
    return value


def classify_scores(
    nodes: Nodes, output: ForeignOutput, name: str, classes: int, size: Sequence[int]
) -> None:
    """Add what makes labels and confidence of scores: up-sampling, arg-max, soft-max.

    Args:
        nodes: Where to add it.
        output: The model's output.
        name: Its tensor.
        classes: Channels.
        size: (height, width) of the labels.
    """
    value = nodes.add("Cast", name, to=_FLOAT)
    first = output.layout == NCHW
    map_size = (output.height, output.width)
    shape = (1, classes, *map_size) if first else (1, *map_size, classes)
    value = nodes.add("Reshape", value, nodes.constant(np.array(shape, np.int64)))
    if not first:
        value = nodes.add("Transpose", value, perm=_TO_CHANNELS_FIRST)
    # At the model's own resolution: up-sampled scores are many, and cost as many powers.
    likely = _probability(nodes, value, output)
    if map_size != tuple(size):
        value = nodes.resize(value, (1, classes, *size))
        likely = nodes.resize(likely, (1, 1, *size))
    winner = nodes.add("ArgMax", value, axis=1, keepdims=1)
    _finish(nodes, nodes.add("Cast", winner, to=_FLOAT), likely, size)


def _probability(nodes: Nodes, scores: str, output: ForeignOutput) -> str:
    """Probability of the best class of scores in NCHW, with one channel."""
    best = nodes.reduce("ReduceMax", scores, since=18)
    if output.is_probability:
        return nodes.add("Clip", best, nodes.number(0.0), nodes.number(1.0))
    # The largest term of the soft-max is exp(0).
    powers = nodes.add("Exp", nodes.add("Sub", scores, best))
    return nodes.add("Reciprocal", nodes.reduce("ReduceSum", powers, since=13))


def classify_map(nodes: Nodes, output: ForeignOutput, name: str) -> None:
    """Add what makes labels and confidence of a map of classes: what is none becomes void."""
    value = nodes.add("Cast", name, to=_FLOAT)
    nothing, all_ = nodes.number(0.0), nodes.number(1.0)
    below = nodes.add("Less", value, nothing)
    beyond = nodes.add("Greater", value, nodes.number(_HIGHEST_LABEL))
    unknown = nodes.add("Or", below, beyond)
    labels = nodes.add("Where", unknown, nodes.number(255.0), value)
    likely = nodes.add("Where", unknown, nothing, all_)
    _finish(nodes, labels, likely, (output.height, output.width))


def _finish(nodes: Nodes, labels: str, likely: str, size: Sequence[int]) -> None:
    """Write whole numbers and probabilities as the bytes of ``SemanticHeads``."""
    shape = nodes.constant(np.array((1, *size), np.int64))
    scaled = nodes.add("Mul", likely, nodes.number(255.0))
    rounded = nodes.add("Add", scaled, nodes.number(0.5))
    for value, name in zip((labels, rounded), KIND.outputs, strict=True):
        flat = nodes.add("Reshape", value, shape)
        # TensorRT makes uint8 outputs from floats only.
        nodes.give_name(nodes.add("Cast", flat, to=_UINT8), name)
