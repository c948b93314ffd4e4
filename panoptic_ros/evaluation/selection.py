# SPDX-License-Identifier: Apache-2.0
"""Names of the scores, and whether a data set has what they need."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from panoptic_ros.core.classes.labels import MAX_CLASSES, LabelSet
from panoptic_ros.core.errors import ConfigError, DataError, listed
from panoptic_ros.data.label_files import LabelFiles

IMAGE_METRICS = ("pq", "miou", "label_miou", "biou", "ece", "drivable")
TIME_METRICS = ("stq", "vpq", "clear", "hota", "idf1")
METRICS = IMAGE_METRICS + TIME_METRICS


def chosen(text: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """Read a choice like ``pq,stq``; the order is that of ``METRICS``.

    Args:
        text: The choice; None for the default.
        default: What suits the format.

    Raises:
        ConfigError: There is no metric of that name.
    """
    if text is None:
        return tuple(default)
    names = {name.strip().lower() for name in text.split(",")} - {""}
    unknown = sorted(names - set(METRICS))
    if unknown or not names:
        raise ConfigError(
            f"no metric {unknown[0] if unknown else text!r}; there are: {', '.join(METRICS)}"
        )
    return tuple(name for name in METRICS if name in names)


def check_field(files: LabelFiles, by: str) -> None:
    """Refuse a field that no image has.

    Raises:
        DataError: None has it.
    """
    fields = [file.fields for found in files.sequences.values() for file in found.values()]
    if not any(by in entry for entry in fields):
        known = sorted({name for entry in fields for name in entry})
        has = f"they have {', '.join(known)}" if known else "COCO's images may have them"
        raise DataError(f"--by {by}: no image of the data set has a field {by!r}; {has}")


def check_needs(metrics: Collection[str], class_count: int, is_video: bool) -> None:
    """Refuse metrics for which a data set lacks something.

    Args:
        metrics: Some of ``METRICS``.
        class_count: Classes of the data set.
        is_video: Whether it has sequences.

    Raises:
        DataError: It lacks something.
    """
    over_time = [name for name in TIME_METRICS if name in metrics]
    if over_time and not is_video:
        raise DataError(
            f"{', '.join(over_time)}: need sequences whose objects keep their ids, and this data "
            "set has single images; kitti-step and kitti-mots have sequences"
        )
    if class_count > MAX_CLASSES and set(metrics) - {"pq", "miou"}:
        raise DataError(
            f"the data set has {class_count} classes; beyond {MAX_CLASSES} only pq and miou can "
            "be had, the others with fewer classes through --map"
        )


def check_surface(labels: LabelSet) -> None:
    """Refuse classes of which none can be driven on.

    Raises:
        DataError: None is known as drivable.
    """
    if not (labels.drivable & ~labels.things).any():
        names = listed(entry.name for entry in labels.labels)
        raise DataError(
            f"drivable: needs a class that is known as drivable, like road, and the data set has "
            f"{names}; rename its classes with --map"
        )
