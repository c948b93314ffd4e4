# SPDX-License-Identifier: Apache-2.0
"""Start a training from weights that are there: a checkpoint, or a model that was exported.

An exported model has its batch norms merged into the convolutions. To train it again each
convolution gets a batch norm whose statistics are those of its own output over some images and
whose scale and shift undo them, so that the network gives the same answers as before.

The layer that tells classes apart is taken over class by class, by name. A class that the file
does not have starts at random; everything below it is what the file learned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import read_metadata
from panoptic_ros.model.checkpoint import load_checkpoint, origin_of
from panoptic_ros.model.network import ConvBlock, PanopticNetwork

Weights = dict[str, Tensor]

_PREFIX = "network."
"""What the exporter writes in front of every weight's name."""
_STORED_AS_HALF = "_half"
_CLASS_LAYER = ("semantic.1.weight", "semantic.1.bias")
"""The only weights with a row for each class."""


def initialise(
    network: PanopticNetwork,
    path: Path,
    classes: Sequence[str],
    images: Callable[[], Iterable[Tensor]],
) -> list[str]:
    """Fill a network with the weights of a file, in place.

    Args:
        network: The network to fill; layers that the file lacks keep the neutral start they have.
        path: A checkpoint of ``panoptic train`` (its averaged weights), or a model that
            ``panoptic export`` wrote.
        classes: Names of the network's classes, in their order.
        images: Gives some normalised batches, each (N, 3, H, W) float32; asked for only where the
            file is an exported model.

    Returns:
        The classes that the file does not have, which start at random.

    Raises:
        ModelError: The file is missing, is neither of the two, or is of another network.
    """
    if path.suffix == ".onnx":
        weights, metadata = _content_of(path)
        _check_is_ours(path, weights)
        theirs = [label.name for label in read_metadata(metadata, str(path)).labels.labels]
        _from_export(network, path, _by_name(network, weights, theirs, classes), images)
    else:
        state = load_checkpoint(path)
        theirs = [name for name, _ in state["classes"]]
        weights = {name: value.float() for name, value in state["weights"].items()}
        _load(network, path, _by_name(network, weights, theirs, classes))
    return [name for name in classes if name not in theirs]


def origin(path: Path) -> tuple[str, str]:
    """Name and licence of the weights in a file, each empty where the file does not say it.

    Args:
        path: As ``initialise`` takes it; of a checkpoint those that it was trained on from.

    Raises:
        ModelError: The file is missing or is neither of the two.
    """
    if path.suffix != ".onnx":
        return origin_of(load_checkpoint(path))
    spec = read_metadata(_content_of(path)[1], str(path))
    return spec.name, spec.license


def _by_name(
    network: PanopticNetwork, weights: Weights, theirs: Sequence[str], ours: Sequence[str]
) -> Weights:
    """Exchange the rows of their classes for those of ours; ours alone keep the network's own."""
    start = network.state_dict()
    rows = {name: theirs.index(name) for name in ours if name in theirs}
    found = dict(weights)
    for layer in _CLASS_LAYER:
        if layer in weights and len(weights[layer]) == len(theirs):
            mine = start[layer].clone()
            for index, name in enumerate(ours):
                if name in rows:
                    mine[index] = weights[layer][rows[name]]
            found[layer] = mine
    return found


def _check_is_ours(path: Path, weights: Weights) -> None:
    if not weights:
        raise ModelError(f"{path}: holds no weights of a network that panoptic train makes")


def _load(network: PanopticNetwork, path: Path, weights: Weights) -> None:
    ours = network.state_dict()
    for name, value in weights.items():
        if name not in ours or ours[name].shape != value.shape:
            needed = tuple(ours[name].shape) if name in ours else "no such weight"
            raise ModelError(
                f"{path}: is of another network: {name} is {tuple(value.shape)}, needed is "
                f"{needed}; --init takes checkpoints of panoptic train and models of panoptic "
                "export"
            )
    network.load_state_dict(weights, strict=False)


def _from_export(
    network: PanopticNetwork,
    path: Path,
    merged: Weights,
    images: Callable[[], Iterable[Tensor]],
) -> None:
    blocks = {f"{name}.": module for name, module in network.named_modules() if _is_block(module)}
    plain: Weights = {}
    biases: dict[str, Tensor] = {}
    for name, value in merged.items():
        block = next((prefix for prefix in blocks if name == f"{prefix}0.bias"), None)
        if block is None:
            plain[name] = value
        else:
            biases[block] = value
    _check_is_ours(path, biases)
    _load(network, path, plain)
    filled = {prefix: _norm_of(blocks[prefix]) for prefix in biases}
    for prefix, norm in filled.items():
        _pass_on(norm, biases[prefix])
    statistics = _output_statistics(network, {p: blocks[p] for p in filled}, images())
    for prefix, norm in filled.items():
        mean, variance = statistics[prefix]
        _set_statistics(norm, mean, variance, biases[prefix])


def _content_of(path: Path) -> tuple[Weights, dict[str, str]]:
    """Read an exported model: its weights by their names in the network, and its metadata."""
    import onnx
    from onnx import numpy_helper

    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf and the operating system raise a dozen types
        raise ModelError(f"{path}: cannot be read as ONNX ({error})") from error
    found: Weights = {}
    for tensor in model.graph.initializer:
        name = tensor.name.removesuffix(_STORED_AS_HALF)
        if name.startswith(_PREFIX):
            values: NDArray[Any] = numpy_helper.to_array(tensor)
            found[name.removeprefix(_PREFIX)] = torch.from_numpy(values.astype(np.float32))
    return found, {entry.key: entry.value for entry in model.metadata_props}


def _is_block(module: nn.Module) -> bool:
    return isinstance(module, ConvBlock)


def _norm_of(block: nn.Module) -> nn.BatchNorm2d:
    assert isinstance(block, ConvBlock)
    norm = block[1]
    assert isinstance(norm, nn.BatchNorm2d)
    return norm


@torch.no_grad()
def _pass_on(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """Let a batch norm add ``bias`` and change nothing else, in place."""
    _set_statistics(norm, torch.zeros_like(bias), torch.ones_like(bias), bias)


@torch.no_grad()
def _set_statistics(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, bias: Tensor) -> None:
    """Set statistics without a change of what the norm computes: x + bias, in place."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(bias + mean)


@torch.no_grad()
def _output_statistics(
    network: PanopticNetwork, blocks: dict[str, nn.Module], images: Iterable[Tensor]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Measure mean and variance of each convolution's output channels over all pixels."""
    sums: dict[str, tuple[Tensor, Tensor, int]] = {}

    def note(prefix: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            values = output.double()
            first, second, count = sums.get(prefix, (torch.zeros(1), torch.zeros(1), 0))
            sums[prefix] = (
                first + values.sum((0, 2, 3)),
                second + values.square().sum((0, 2, 3)),
                count + values.shape[0] * values.shape[2] * values.shape[3],
            )

        return hook

    hooks = []
    for prefix, block in blocks.items():
        assert isinstance(block, ConvBlock)
        hooks.append(block[0].register_forward_hook(note(prefix)))
    network.eval()
    for batch in images:
        network(batch)
    for handle in hooks:
        handle.remove()
    return {prefix: _moments(*entry) for prefix, entry in sums.items()}


def _moments(first: Tensor, second: Tensor, count: int) -> tuple[Tensor, Tensor]:
    mean = first / count
    return mean.float(), (second / count - mean.square()).clamp(min=1e-6).float()
