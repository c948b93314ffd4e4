# SPDX-License-Identifier: Apache-2.0
"""``panoptic export --hf``: a checkpoint of transformers, with what has to be said about it."""

from __future__ import annotations

import argparse
import sys

from panoptic_ros.core.classes.label_documents import find_label_set
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import ConfigError, listed
from panoptic_ros.core.model import ModelSpec


def export_hub(args: argparse.Namespace) -> None:
    """Write the model file, and warn of what the user has to know.

    Raises:
        ConfigError: The checkpoint cannot be read or exported with these arguments.
    """
    from panoptic_ros.model.hub import license_warning, load
    from panoptic_ros.model.hub_export import export_checkpoint, with_thresholds

    checkpoint = load(args.hf)
    rule = with_thresholds(
        checkpoint.family.rule, args.threshold, args.mask_threshold, args.queries
    )
    width, height = args.size or checkpoint.default_size
    license_text = args.license or checkpoint.license
    spec = ModelSpec(
        name=args.name or args.model.stem,
        width=width,
        height=height,
        decoder="query",
        labels=_labels(args.labels, checkpoint.classes, args.model.stem),
        license=license_text,
        provenance=args.provenance
        or f"{args.hf}, threshold {rule.threshold}, mask threshold {rule.mask_threshold}",
    )
    export_checkpoint(checkpoint, spec, args.model, args.label_scale or 2, rule)
    if warning := license_warning(license_text):
        _warn(warning)


def _labels(word: str | None, classes: dict[int, str], title: str) -> LabelSet:
    """Read the label set, or make one, perhaps of that title, of the checkpoint's class names.

    Raises:
        ConfigError: The label set has fewer classes than the checkpoint.
    """
    from panoptic_ros.model.hub_labels import called_otherwise, guess_labels, shipped_label_sets

    if word is not None:
        chosen = find_label_set(word)
        missing = [name for index, name in sorted(classes.items()) if index >= len(chosen)]
        if missing:
            raise ConfigError(
                f"label set {chosen.name} has {len(chosen)} classes, the checkpoint "
                f"{len(classes)}; missing: {', '.join(missing)}"
            )
        if others := called_otherwise(classes, chosen):
            _warn(f"--labels renames classes of the checkpoint: {listed(others, 3)}")
        return chosen
    labels, unknown = guess_labels(classes, shipped_label_sets(), title)
    if unknown:
        _warn(
            f"taken for stuff that cannot be driven on, as no label set knows them: "
            f"{', '.join(unknown)}; describe them with --labels FILE"
        )
    if not labels.drivable.any():
        _warn("no class of this checkpoint is known to be drivable; --labels FILE can mark some")
    return labels


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)
