# SPDX-License-Identifier: Apache-2.0
"""Make somebody else's segmentation model one that describes itself and takes camera images.

Pre-processing goes before its graph, up-sampling, arg-max and confidence behind it, so that the
node runs it as it runs our own models; objects are connected regions (``core.decoding.semantic``).
What an output means is read off what it says of a camera's frame, not off declared shapes, which
exporters leave open.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.decoding.semantic import KIND
from panoptic_ros.core.errors import ConfigError, EngineRunError, ModelError
from panoptic_ros.core.files.output import unwritten
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.engine.building.adopt_graph import (
    Nodes,
    Preprocessing,
    classify_map,
    classify_scores,
    preprocess,
)
from panoptic_ros.engine.building.foreign import (
    ForeignInput,
    ForeignOutput,
    choose_output,
    load_foreign,
    opset_of,
    output_shapes,
    read_input,
    read_output,
)
from panoptic_ros.engine.building.model_file import move_model, write_model
from panoptic_ros.engine.camera_frames import camera_frames
from panoptic_ros.engine.heads import INPUT

_THEIRS = "adopted/"
"""Begins the names of all tensors of the model, so that none is ours."""


@dataclass(frozen=True)
class Adoption:
    """What is to be adopted, and what its file does not say.

    Attributes:
        source: The ONNX file.
        labels: What its class indices mean.
        preprocessing: What it wants done to an image of bytes; a model that takes bytes itself
            can only want another order of the channels.
        layout: ``nchw``, ``nhwc`` or empty for what its shape says.
        output: Name of the output with the classes, empty where there is only one.
        size: (width, height) where its shape leaves that open.
        name: Short name, empty for the stem of the new file.
        license: What may be done with the weights.
        provenance: Where the weights come from, empty for the name of the ONNX file.
    """

    source: Path
    labels: LabelSet
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    layout: str = ""
    output: str = ""
    size: tuple[int, int] | None = None
    name: str = ""
    license: str = ""
    provenance: str = ""


@dataclass(frozen=True)
class Adopted:
    """What became of it: the new model's spec, and how its input and output were read."""

    spec: ModelSpec
    entry: ForeignInput
    output: ForeignOutput


def adopt(wanted: Adoption, target: Path) -> Adopted:
    """Write a model of somebody else as one of ours.

    Args:
        wanted: The model, and what has to be said about it.
        target: The .onnx file to write, replaced when the new one is whole and has run; weights
            that do not fit in it lie beside it, in a file of its name and ``.data``.

    Raises:
        ModelError: It cannot be adopted; the message says why.
        ConfigError: The file cannot be written, or bytes are to be normalised.
    """
    model = load_foreign(wanted.source)
    where = wanted.source.name
    entry = read_input(model, where, wanted.layout, wanted.size)
    if entry.dtype == "uint8" and not wanted.preprocessing.is_plain:
        raise ConfigError(f"{where}: takes bytes as they are; leave out --mean, --std and --scale")
    name = choose_output(output_shapes(model), wanted.output, where)
    spec = ModelSpec(
        name=wanted.name or target.stem,
        width=entry.width,
        height=entry.height,
        decoder="semantic",
        labels=wanted.labels,
        license=wanted.license,
        provenance=wanted.provenance or f"adopted from {where}",
    )
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".adopt") as folder:
            part = Path(folder, target.name)
            _take_images(model, entry, wanted.preprocessing, name)
            write_model(model, part)
            values = _first_answer(part, spec, where)
            output = read_output(name, values, len(wanted.labels), entry, where)
            _give_classes(model, output, spec)
            write_model(model, part)
            _try(part, where)
            move_model(part, target)
    except OSError as error:
        raise ConfigError(unwritten(target, error)) from error
    return Adopted(spec, entry, output)


def _take_images(model: Any, entry: ForeignInput, wanted: Preprocessing, output: str) -> None:
    """Put pre-processing before a graph, in place, and leave one of its outputs."""
    from onnx import TensorProto, compose, helper

    compose.add_prefix(model, _THEIRS, inplace=True)
    graph = model.graph
    nodes = Nodes(opset_of(model), "before")
    preprocess(nodes, entry, _THEIRS + entry.name, wanted)
    theirs = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes.nodes, *theirs])
    graph.initializer.extend(nodes.constants)
    kept = [each for each in graph.output if each.name == _THEIRS + output]
    shape = (1, entry.height, entry.width, 3)
    del graph.input[:], graph.output[:]
    graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.UINT8, shape))
    graph.output.extend(kept)
    # What was inferred for sizes that were open.
    del graph.value_info[:]
    # From 4 on weights need not be inputs as well.
    model.ir_version = max(model.ir_version, 8)


def _give_classes(model: Any, output: ForeignOutput, spec: ModelSpec) -> None:
    """Put arg-max and confidence behind a graph that takes our images, in place."""
    from onnx import TensorProto, helper

    graph = model.graph
    nodes = Nodes(opset_of(model), "behind")
    size = (output.height, output.width)
    if output.layout:
        size = (spec.height, spec.width)
        classify_scores(nodes, output, graph.output[0].name, len(spec.labels), size)
    else:
        classify_map(nodes, output, graph.output[0].name)
    graph.node.extend(nodes.nodes)
    graph.initializer.extend(nodes.constants)
    del graph.output[:]
    for name in KIND.outputs:
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.UINT8, (1, *size)))
    for key, value in spec.to_metadata().items():
        model.metadata_props.add(key=key, value=value)


def _first_answer(path: Path, spec: ModelSpec, where: str) -> NDArray[Any]:
    """What the model's output is for a camera's frame."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"{where}: adopting runs it, which needs ONNX Runtime; run: pip install onnxruntime"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    image = camera_frames(spec, 1)[0]
    try:
        session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        (values,) = session.run(None, {INPUT: image[None]})
    except Exception as error:  # the bindings raise a dozen types
        # The file that was run is a part of ours, under a name that nobody knows.
        text = str(error).replace(str(path), where).strip()
        said = text.splitlines() or [type(error).__name__]
        raise ModelError(f"{where}: ONNX Runtime cannot run it ({said[0]})") from error
    return np.asarray(values)


def _try(path: Path, where: str) -> None:
    """Run the new model on a camera's frames, as the node does.

    Raises:
        ModelError: It says classes that the label set does not have.
    """
    from panoptic_ros.engine.ort import OrtEngine

    with OrtEngine(path) as engine:
        spec = engine.spec
        try:
            for image in camera_frames(spec):
                decode(engine.infer(image), spec.labels, DecodeConfig())
        except EngineRunError as error:
            raise ModelError(
                f"{where}: cannot be adopted with these labels: {error}; --labels names the set "
                "that it was trained on"
            ) from error
