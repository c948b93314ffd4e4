# SPDX-License-Identifier: Apache-2.0
"""Write a checkpoint as one ONNX file that describes itself.

Everything that turns a camera's uint8 image into small maps lies in the graph: normalisation,
layout, soft-max, up-sampling, arg-max, suppression of centres. So no engine holds a
constant of the model, and no decoder but one: of centres, half of the window of maxima.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from panoptic_ros.core.decoding.kinds import KINDS
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.files.limits import check_multiples
from panoptic_ros.core.files.output import written_aside
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.model.fold import fold_constants
from panoptic_ros.model.network import IMAGENET_MEAN, IMAGENET_STD, ConvBlock, PanopticNetwork

OPSET = 17
"""The newest that TensorRT 8.6 reads."""

INPUT = "image"


class Maps(NamedTuple):
    """``CenterOffsetHeads`` with a batch of one in front."""

    labels: Tensor
    confidence: Tensor
    centers: Tensor
    offsets: Tensor


class ExportedNetwork(nn.Module):
    """The network between a uint8 image and the maps of ``CenterOffsetHeads``.

    Args:
        network: The trained network; its convolutions and batch norms are merged in place.
        label_scale: Label pixels per head pixel and axis: 4 gives labels at input size.
        peak_window: Side of the window in which a centre must be the largest, odd.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self, network: PanopticNetwork, label_scale: int = 4, peak_window: int = 5
    ) -> None:
        super().__init__()
        self.network = fuse_batch_norms(network.eval())
        self.label_scale = label_scale
        self.peak_window = peak_window
        scale = 1.0 / (255.0 * torch.tensor(IMAGENET_STD))
        shift = -torch.tensor(IMAGENET_MEAN) / torch.tensor(IMAGENET_STD)
        self.register_buffer("scale", scale.view(1, 3, 1, 1))
        self.register_buffer("shift", shift.view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Maps:
        """Run on one image.

        Args:
            image: RGB, (1, H, W, 3) uint8.
        """
        # TensorRT lets uint8 be cast and nothing else, so that comes first.
        x = image.float().permute(0, 3, 1, 2) * self.scale + self.shift
        heads = self.network(x)
        likely = functional.interpolate(
            functional.softmax(heads.semantic, 1),
            scale_factor=float(self.label_scale),
            mode="bilinear",
            align_corners=False,
        )
        confidence, labels = likely.max(1)
        heat = heads.center[:, 0]
        window = self.peak_window
        highest = functional.max_pool2d(heads.center, window, 1, window // 2)[:, 0]
        peaks = torch.where(heat == highest, heat.clamp(0.0, 1.0), torch.zeros_like(heat))
        # TensorRT makes uint8 outputs from floats only, so integers take the detour.
        return Maps(
            labels=labels.float().to(torch.uint8),
            confidence=(confidence * 255.0 + 0.5).to(torch.uint8),
            centers=(peaks * 255.0 + 0.5).to(torch.uint8),
            offsets=heads.offset.half(),
        )


def fuse_batch_norms(network: PanopticNetwork) -> PanopticNetwork:
    """Merge every batch norm into the convolution before it, in place."""
    for module in list(network.modules()):
        if isinstance(module, ConvBlock):
            convolution, norm = module[0], module[1]
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            module[0] = fuse_conv_bn_eval(convolution, norm)
            module[1] = nn.Identity()
    return network


def export(network: PanopticNetwork, spec: ModelSpec, path: Path, label_scale: int = 4) -> None:
    """Write a network as ONNX.

    Args:
        network: The trained network; not usable for training afterwards.
        spec: Size, labels, licence and provenance, written into the file's metadata.
        path: The file to write, replaced at once when it is whole.
        label_scale: Label pixels per head pixel and axis, 1, 2 or 4.

    Raises:
        ConfigError: A side is no multiple of 32, or the classes differ in number.
    """
    size = (spec.width, spec.height)
    check_multiples(f"size {spec.width}x{spec.height}", size, 32)
    if len(spec.labels) != network.classes:
        raise ConfigError(
            f"label set {spec.labels.name} has {len(spec.labels)} classes, the checkpoint "
            f"{network.classes}"
        )
    write_model(ExportedNetwork(network, label_scale), spec, path)


def write_model(
    module: nn.Module,
    spec: ModelSpec,
    path: Path,
    from_hub: bool = False,
) -> None:
    """Write a module that takes a uint8 image as ONNX with our metadata.

    Args:
        module: Takes RGB, (1, H, W, 3) uint8, and returns the outputs of its decoder kind.
        spec: Size, labels, licence and provenance, written into the file's metadata.
        path: The file to write, replaced at once when it is whole.
        from_hub: Whether it is somebody else's network: then what does not depend on the image
            is worked out beforehand, and weights keep their precision. Ours needs no folding, and
            its large weights are stored in float16.

    Raises:
        DataError: The file cannot be written.
    """
    try:
        with written_aside(path) as part:
            _write(module, spec, part, from_hub)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); free space, or name another file"
        ) from error


def _write(module: nn.Module, spec: ModelSpec, path: Path, from_hub: bool) -> None:
    """Trace a module, and complete what the tracer wrote."""
    image = torch.zeros((1, spec.height, spec.width, 3), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        # The TorchScript exporter is the one whose graphs TensorRT 8.6 reads.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (image,),
            str(path),
            input_names=[INPUT],
            output_names=list(KINDS[spec.decoder].outputs),
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    if from_hub:
        fold_constants(model)
    else:
        store_weights_as_half(model)
    for key, value in spec.to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def store_weights_as_half(model: onnx.ModelProto, least: int = 256) -> None:
    """Store large weights as float16 with a cast behind, in place: half the file, same graph.

    The arithmetic stays what it was; runtimes fold the casts when they load the file.

    Args:
        model: The model to change.
        least: Weights with fewer elements stay as they are.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or int(np.prod(tensor.dims)) < least:
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
