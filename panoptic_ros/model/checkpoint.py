# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of ``panoptic train``: read without running code, turned into networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.labels import Label, LabelSet, read_label_set
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.model.network import PanopticNetwork


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running code that may hide in it.

    Returns:
        ``classes`` (list of name, thing), ``weights`` (averaged), ``step``, ``scores``, and in
        ``last.pt`` what resuming needs.

    Raises:
        ModelError: The file is missing or is not one of our checkpoints.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen types here
        raise ModelError(f"{path}: cannot be read as a checkpoint ({error})") from error
    if not isinstance(state, dict) or "weights" not in state or "classes" not in state:
        raise ModelError(f"{path}: is no checkpoint of panoptic train")
    return state


def network_of(state: dict[str, Any]) -> PanopticNetwork:
    """Build the network of a checkpoint, with its averaged weights, ready to run.

    Raises:
        ModelError: The weights are of another network.
    """
    network = PanopticNetwork(len(state["classes"]))
    weights = {name: value.float() for name, value in state["weights"].items()}
    counters = {k: v for k, v in network.state_dict().items() if k not in weights}
    try:
        network.load_state_dict(weights | counters)
    except RuntimeError as error:
        raise ModelError(f"the checkpoint does not fit this version's network: {error}") from error
    return network.eval()


def spec_of(
    classes: Sequence[tuple[str, bool]],
    size: tuple[int, int],
    name: str = "street",
    license_text: str = "",
    provenance: str = "",
    labels: LabelSet | None = None,
) -> ModelSpec:
    """Describe a checkpoint.

    Args:
        classes: (name, is a thing) of each class, in order.
        size: (width, height) of the network's input.
        name: Name of the model.
        license_text: What may be done with the weights.
        provenance: Where they come from.
        labels: Label set that gives drivable and colour by class name; None takes Cityscapes'.

    Returns:
        The spec; classes the label set does not know are not drivable and grey.
    """
    if labels is None:
        labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    known = {label.name: label for label in labels.labels}
    entries = []
    for index, (class_name, is_thing) in enumerate(classes):
        like = known.get(class_name)
        entries.append(
            Label(
                index=index,
                name=class_name,
                is_thing=is_thing,
                is_drivable=like.is_drivable if like else False,
                color=like.color if like else (128, 128, 128),
            )
        )
    label_set = LabelSet(labels.name, tuple(entries))
    width, height = size
    return ModelSpec(name, width, height, "center_offset", label_set, license_text, provenance)
