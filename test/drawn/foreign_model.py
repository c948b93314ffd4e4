# SPDX-License-Identifier: Apache-2.0
"""Segmentation models as other people export them, and what they must say, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
    "uint8": TensorProto.UINT8,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
}


@dataclass(frozen=True)
class Foreign:
    """A model that scores every class by a weighted sum of the channels.

    Attributes:
        classes: Channels of its scores.
        layout: Of its input, ``nchw`` or ``nhwc``.
        dtype: Of its input.
        opset: Of its operators.
        batch: Of its input; None leaves it open.
        size: (height, width) of its input; None leaves it open.
        stride: Pixels of the image per pixel of its output.
        says: ``nchw`` or ``nhwc`` scores, ``softmax`` of the former, or ``map``.
        map_dtype: Of a map.
        map_axes: ``bhw``, ``hw``, ``bchw`` or ``bhwc``.
    """

    classes: int = 4
    layout: str = "nchw"
    dtype: str = "float32"
    opset: int = 17
    batch: int | None = 1
    size: tuple[int, int] | None = (16, 32)
    stride: int = 1
    says: str = "nchw"
    map_dtype: str = "int64"
    map_axes: str = "bhw"

    @property
    def weights(self) -> NDArray[np.float32]:
        """(classes, 3)."""
        return np.random.default_rng(7).normal(size=(self.classes, 3)).astype(np.float32)

    def scores(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """Scores of an image (H, W, 3) as the model gets it, at the model's resolution."""
        pixels = image.astype(np.float32)
        height, width = (side // self.stride for side in image.shape[:2])
        blocks = pixels.reshape(height, self.stride, width, self.stride, 3).mean((1, 3))
        return np.asarray(blocks @ self.weights.T, np.float32)

    def model(self) -> onnx.ModelProto:
        """Write it as ONNX."""
        nodes, value = self._scores()
        shape: list[int | str | None] | None = None
        if self.says == "nhwc":
            nodes.append(helper.make_node("Transpose", [value], ["out"], perm=[0, 2, 3, 1]))
        elif self.says == "softmax":
            nodes += _softmax(value)
        elif self.says == "map":
            nodes += self._map(value)
        else:
            nodes.append(helper.make_node("Identity", [value], ["out"]))
        dtype = _TYPES[self.map_dtype] if self.says == "map" else TensorProto.FLOAT
        out = helper.make_tensor_value_info("out", dtype, shape)
        graph = helper.make_graph(nodes, "theirs", [self._input()], [out], self._constants())
        opsets = [helper.make_opsetid("", self.opset)]
        ir_version = 10 if self.opset > 20 else 8
        return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)

    def write(self, path: Path) -> Path:
        """Write it as a file."""
        onnx.save(self.model(), str(path))
        return path

    def _input(self) -> onnx.ValueInfoProto:
        height, width = self.size or ("height", "width")
        batch = self.batch or "batch"
        sides: tuple[int | str, ...] = (batch, 3, height, width)
        if self.layout == "nhwc":
            sides = (batch, height, width, 3)
        return helper.make_tensor_value_info("image", _TYPES[self.dtype], sides)

    def _scores(self) -> tuple[list[onnx.NodeProto], str]:
        nodes = [helper.make_node("Cast", ["image"], ["cast"], to=TensorProto.FLOAT)]
        value = "cast"
        if self.layout == "nhwc":
            nodes.append(helper.make_node("Transpose", [value], ["first"], perm=[0, 3, 1, 2]))
            value = "first"
        strides = [self.stride, self.stride]
        nodes.append(helper.make_node("Conv", [value, "weights"], ["scores"], strides=strides))
        return nodes, "scores"

    def _constants(self) -> list[onnx.TensorProto]:
        area = self.stride * self.stride
        kernel = np.repeat(self.weights[:, :, None] / area, area, 2)
        kernel = kernel.reshape(self.classes, 3, self.stride, self.stride)
        return [numpy_helper.from_array(kernel.astype(np.float32), "weights")]

    def _map(self, value: str) -> list[onnx.NodeProto]:
        keep = int(self.map_axes == "bchw")
        nodes = [helper.make_node("ArgMax", [value], ["best"], axis=1, keepdims=keep)]
        nodes.append(helper.make_node("Cast", ["best"], ["map"], to=_TYPES[self.map_dtype]))
        if self.map_axes in ("bhw", "bchw"):
            return [*nodes, helper.make_node("Identity", ["map"], ["out"])]
        assert self.size is not None
        sides = [side // self.stride for side in self.size]
        shape = sides if self.map_axes == "hw" else [1, *sides, 1]
        constant = numpy_helper.from_array(np.array(shape, np.int64))
        nodes.append(helper.make_node("Constant", [], ["shape"], value=constant))
        return [*nodes, helper.make_node("Reshape", ["map", "shape"], ["out"])]


def _softmax(value: str) -> list[onnx.NodeProto]:
    """A soft-max over channels that means the same in every opset."""
    return [
        helper.make_node("Transpose", [value], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Softmax", ["last"], ["likely"], axis=3),
        helper.make_node("Transpose", ["likely"], ["out"], perm=[0, 3, 1, 2]),
    ]


def painted_model(palette: NDArray[np.uint8], size: tuple[int, int]) -> onnx.ModelProto:
    """A model that finds the class whose colour is nearest, from BGR of 0..1 in NHWC.

    -|x - c|^2 is 2 c x - |c|^2 but for what all classes share, so a matrix product does it.
    """
    colors = palette.astype(np.float64)[:, ::-1] / 255.0
    weights = (2.0 * colors.T).astype(np.float32)
    bias = -(colors * colors).sum(1).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["image", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["near"]),
        helper.make_node("Mul", ["near", "sharp"], ["logits"]),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(bias, "bias"),
        numpy_helper.from_array(np.array(100.0, np.float32), "sharp"),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ("n", *size, 3))
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", *size, len(palette)))
    graph = helper.make_graph(nodes, "painted", [image], [logits], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
