# SPDX-License-Identifier: Apache-2.0
"""A model small enough to read: red is the label, green the confidence, blue the centres."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.model import ModelSpec

LABELS = LabelSet(
    "tiny",
    (
        Label(0, "road", False, True, (128, 64, 128), is_flat=True),
        Label(1, "car", True, False, (0, 0, 142), "vehicle"),
    ),
)


def spec(width: int = 8, height: int = 4, decoder: str = "center_offset") -> ModelSpec:
    return ModelSpec("tiny", width, height, decoder, LABELS)


def write_tiny_model(
    path: Path,
    metadata: Mapping[str, str] | None = None,
    size: tuple[int, int] = (8, 4),
    without: str = "",
) -> Path:
    """Write the model; ``without`` names an output to leave out."""
    width, height = size
    nodes, outputs = [], []
    for channel, name in enumerate(("labels", "confidence", "centers")):
        nodes.append(helper.make_node("Gather", ["image", f"at{channel}"], [name], axis=3))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.UINT8, (1, height, width)))
    nodes.append(helper.make_node("Identity", ["still"], ["offsets"]))
    outputs.append(
        helper.make_tensor_value_info("offsets", TensorProto.FLOAT16, (1, 2, height, width))
    )
    constants = [
        numpy_helper.from_array(np.array(channel, np.int64), f"at{channel}")
        for channel in range(3)
    ]
    constants.append(numpy_helper.from_array(np.zeros((1, 2, height, width), np.float16), "still"))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, (1, height, width, 3))],
        [output for output in outputs if output.name != without],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    described = spec(width, height).to_metadata() if metadata is None else metadata
    for key, value in described.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, str(path))
    return path
