# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of ``panoptic train``: read without running code, turned into networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from panoptic_ros.core.classes.label_documents import from_json
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.classes.own_classes import (
    NO_COLOR,
    chosen_labels,
    name_of_classes,
    own_label_set,
)
from panoptic_ros.core.errors import ConfigError, DataError, ModelError
from panoptic_ros.core.files.output import written_aside
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.model.network import PanopticNetwork


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running code that may hide in it.

    Returns:
        ``classes`` (list of name, thing), ``labels`` (their label set as JSON), ``weights``
        (averaged), ``step``, ``scores``, ``origin`` (name and licence of the weights it started
        from), and in ``last.pt`` what resuming needs.

    Raises:
        ModelError: The file is missing or is not one of our checkpoints.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # torch raises a dozen types here, and speaks of its own options
        raise ModelError(
            f"{path}: is not a checkpoint of panoptic train, or is damaged; needs best.pt or "
            "last.pt of its --out"
        ) from error
    if not isinstance(state, dict) or "weights" not in state or "classes" not in state:
        raise ModelError(f"{path}: is not a checkpoint of panoptic train")
    return state


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint as a whole; where that fails, the one before stays.

    Args:
        state: As ``load_checkpoint`` gives it.
        path: The file.

    Raises:
        DataError: It cannot be written.
    """
    try:
        with written_aside(path) as part, part.open("wb") as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:
        # On a full disk torch ends with an error of its own, raised while the disk's is handled.
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        raise DataError(
            f"{path}: cannot be written ({cause.strerror}); free space, or name another folder"
        ) from error


def mean_of(states: Sequence[dict[str, Any]], paths: Sequence[Path]) -> dict[str, Any]:
    """Average the weights of checkpoints of which one was trained on from the other.

    The mean often does better than either, and keeps more of what the first had learned from
    other images (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, arXiv
    2109.01903, and "Model soups", ICML 2022, arXiv 2203.05482).

    Args:
        states: What ``load_checkpoint`` gave, one or more; all but the weights is the first one's.
        paths: Where each was read, for the message.

    Raises:
        ModelError: They differ in their classes, or in the names or shapes of their weights.
    """
    first = states[0]
    for path, state in zip(paths, states, strict=True):
        if found := difference(first, state):
            raise ModelError(
                f"{path}: cannot be averaged with {paths[0]}: {found}; give checkpoints of which "
                "one was trained on from the other"
            )
    weights = {
        name: torch.stack([s["weights"][name].double() for s in states]).mean(0).to(value.dtype)
        for name, value in first["weights"].items()
    }
    return {**first, "weights": weights}


def difference(a: dict[str, Any], b: dict[str, Any]) -> str:
    """Say why the weights of checkpoint b cannot be averaged with those of a, '' if they can."""
    of_a, of_b = ([tuple(entry) for entry in state["classes"]] for state in (a, b))
    if only := [name for name, _ in of_b if name not in dict(of_a)]:
        return f"it has the classes {', '.join(only)}, which the other lacks"
    if only := [name for name, _ in of_a if name not in dict(of_b)]:
        return f"it lacks the classes {', '.join(only)} of the other"
    if of_a != of_b:
        return "its classes have another order, or other classes are things"
    shapes_a, shapes_b = (
        {name: tuple(value.shape) for name, value in state["weights"].items()} for state in (a, b)
    )
    for name in sorted(shapes_a.keys() | shapes_b.keys()):
        found, needed = shapes_b.get(name, "missing"), shapes_a.get(name, "missing")
        if found != needed:
            return f"it is of another network: {name} is {found}, needed is {needed}"
    return ""


def network_of(state: dict[str, Any]) -> PanopticNetwork:
    """Build the network of a checkpoint, with its averaged weights, ready to run.

    Raises:
        ModelError: The weights are of another network.
    """
    network = PanopticNetwork(len(state["classes"]))
    weights = {name: value.float() for name, value in state["weights"].items()}
    neutral = {k: v for k, v in network.state_dict().items() if k not in weights and _may_lack(k)}
    try:
        network.load_state_dict(weights | neutral)
    except RuntimeError as error:
        raise ModelError(f"the checkpoint does not fit this version's network: {error}") from error
    return network.eval()


def labels_of(state: dict[str, Any]) -> LabelSet:
    """Describe the classes of a checkpoint as its data set did.

    Raises:
        ModelError: The checkpoint's label set is damaged.
    """
    if "labels" not in state:  # written before version 0.2
        return _described(state["classes"])
    try:
        return from_json(state["labels"])
    except ConfigError as error:
        raise ModelError(f"the checkpoint's label set is damaged ({error})") from error


def origin_of(state: dict[str, Any]) -> tuple[str, str]:
    """Name and licence of the weights from which a checkpoint was trained on.

    Returns:
        Both empty where the training started from ImageNet's, or where nobody noted it.
    """
    noted = state.get("origin")
    if not isinstance(noted, tuple) or len(noted) != 2:
        return "", ""
    return str(noted[0]), str(noted[1])


def _may_lack(name: str) -> bool:
    """Say whether a sound checkpoint may be without a weight: its start changes nothing."""
    return name.endswith("num_batches_tracked") or name.startswith("pyramid.")


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
        labels: Label set that describes the classes by name; None takes what the shipped label
            sets say of them.

    Raises:
        ConfigError: ``labels`` lacks some of the classes.
    """
    chosen = _described(classes) if labels is None else chosen_labels(classes, labels)
    width, height = size
    return ModelSpec(name, width, height, "center_offset", chosen, license_text, provenance)


def _described(classes: Sequence[tuple[str, bool]]) -> LabelSet:
    """Describe classes of which only names are known."""
    title = name_of_classes([name for name, _ in classes], otherwise="own")
    return own_label_set(title, ((name, is_thing, NO_COLOR) for name, is_thing in classes))
