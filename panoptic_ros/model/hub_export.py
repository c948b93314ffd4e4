# SPDX-License-Identifier: Apache-2.0
"""Write a hub checkpoint as one ONNX file that describes itself.

Pre-processing and post-processing lie in the graph, shapes are fixed, and what TensorRT refuses
or computes wrongly is exchanged on the way.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.limits import nearest_size
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.model.export import write_model
from panoptic_ros.model.hub import Checkpoint, pair
from panoptic_ros.model.portable import portable_parts
from panoptic_ros.model.query_graph import ArgMaxRule, QueryNetwork

MASK_STRIDE = 4
"""Network pixels per pixel of the masks, in all three families."""


def check_size(checkpoint: Checkpoint, size: tuple[int, int], label_scale: int) -> None:
    """Refuse sizes that a checkpoint cannot take.

    Args:
        checkpoint: The checkpoint.
        size: (width, height) of the network's input.
        label_scale: Label pixels per mask pixel and axis.

    Raises:
        ConfigError: A side is no multiple of its step, or larger than what it learned.
    """
    config: Any = checkpoint.network.config
    step = checkpoint.family.step
    if hasattr(config, "image_size"):
        step = pair(config.patch_size)[0]
        largest = pair(config.image_size)
        if size[0] > largest[1] or size[1] > largest[0]:
            raise ConfigError(
                f"size {size[0]}x{size[1]}: {checkpoint.name} knows positions up to "
                f"{largest[1]}x{largest[0]}; take that or less"
            )
    if size[0] % step or size[1] % step or min(size) < step:
        raise ConfigError(
            f"size {size[0]}x{size[1]}: both sides must be multiples of {step} for "
            f"{checkpoint.name}; the nearest is {nearest_size(size, step)}"
        )
    if label_scale not in (1, 2, 4):
        raise ConfigError(f"label scale is {label_scale}, needs 1, 2 or 4")


def export_checkpoint(
    checkpoint: Checkpoint,
    spec: ModelSpec,
    path: Path,
    label_scale: int = 2,
    rule: ArgMaxRule | None = None,
) -> None:
    """Write a checkpoint as ONNX.

    Args:
        checkpoint: What ``load`` read.
        spec: Size, labels, licence and provenance.
        path: The file to write, replaced at once when it is whole.
        label_scale: Label pixels per mask pixel and axis, 1, 2 or 4: 4 is the input's size.
        rule: Its post-processing; None takes the family's.

    Raises:
        ConfigError: The size or the number of classes does not fit the checkpoint.
    """
    check_size(checkpoint, (spec.width, spec.height), label_scale)
    if len(spec.labels) != len(checkpoint.classes):
        raise ConfigError(
            f"label set {spec.labels.name} has {len(spec.labels)} classes, {checkpoint.name} "
            f"{len(checkpoint.classes)}"
        )
    set_image_size(checkpoint.network, (spec.height, spec.width))
    module = query_network(checkpoint, (spec.height, spec.width), label_scale, rule)
    with portable_parts():
        write_model(module.eval(), spec, path, from_hub=True)


def query_network(
    checkpoint: Checkpoint,
    size: tuple[int, int],
    label_scale: int,
    rule: ArgMaxRule | None = None,
) -> QueryNetwork:
    """Put a checkpoint between a uint8 image of ``size`` (height, width) and its maps."""
    map_size = (size[0] * label_scale // MASK_STRIDE, size[1] * label_scale // MASK_STRIDE)
    return QueryNetwork(
        checkpoint.network,
        checkpoint.family.run,
        rule or checkpoint.family.rule,
        map_size,
        checkpoint.mean,
        checkpoint.deviation,
    )


def with_thresholds(
    rule: ArgMaxRule, threshold: float | None, mask_threshold: float | None, most: int | None
) -> ArgMaxRule:
    """Copy a rule with what is not None exchanged.

    Raises:
        ConfigError: A threshold is not within 0..1, or the number of queries not within 1..255.
    """
    threshold = rule.threshold if threshold is None else threshold
    mask_threshold = rule.mask_threshold if mask_threshold is None else mask_threshold
    most = rule.most if most is None else most
    if not (0.0 <= threshold <= 1.0 and 0.0 <= mask_threshold <= 1.0 and 1 <= most <= 255):
        raise ConfigError(
            f"threshold {threshold} and mask threshold {mask_threshold} need to be within 0..1, "
            f"queries {most} within 1..255"
        )
    return replace(rule, threshold=threshold, mask_threshold=mask_threshold, most=most)


def set_image_size(network: Any, size: tuple[int, int]) -> None:
    """Let EoMT take images smaller than those it learned from, in place.

    Its positions are learned for one square. A smaller image gets those of the upper left part,
    where its training put images that did not fill the square.
    """
    config = network.config
    if config.model_type != "eomt":
        return
    if any(0.0 < float(share) < 1.0 for share in network.attn_mask_probs):
        raise ConfigError("this EoMT checkpoint masks at random; it was saved during training")
    patch, columns = pair(config.patch_size)[0], pair(config.image_size)[1]
    rows, wide = size[0] // patch, size[1] // patch
    grid = torch.arange(rows)[:, None] * (columns // patch) + torch.arange(wide)[None]
    network.embeddings.position_ids = grid.reshape(1, -1)
    network.grid_size = (rows, wide)
