# SPDX-License-Identifier: Apache-2.0
"""Label sets for classes of one's own: what the data say, and the shipped sets for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from panoptic_ros.core.classes.label_documents import SHIPPED, known_labels, shipped_label_set
from panoptic_ros.core.classes.labels import MAX_CLASSES, Label, LabelSet
from panoptic_ros.core.errors import ConfigError, listed

NO_COLOR = (0, 0, 0)
"""Black is void's, so a class that is given it has no colour of its own."""

_Class = tuple[str, bool, tuple[int, int, int]]
_UNKNOWN = Label(0, "", False, False, NO_COLOR)


def own_label_set(name: str, classes: Iterable[_Class]) -> LabelSet:
    """Describe classes of which only little is known.

    Args:
        name: Of the label set.
        classes: (name, is a thing, RGB) of each class, in order; ``NO_COLOR`` takes that of the
            shipped class of this name, or one that no neighbour has. Classes behind the 255th
            are left out, as no label reaches them.

    Returns:
        Labels by position; what one can drive on, groups and the like are those of the shipped
        class of the same name, and of a name that no shipped set has there is nothing to say.
    """
    labels = []
    for index, (title, is_thing, color) in enumerate(list(classes)[:MAX_CLASSES]):
        like = known_labels().get(title, _UNKNOWN)
        if not any(color):
            color = like.color if any(like.color) else _color(index)
        labels.append(replace(like, index=index, name=title, is_thing=is_thing, color=color))
    return LabelSet(name, tuple(labels))


def name_of_classes(names: Sequence[str], otherwise: str) -> str:
    """Name the shipped label set that has exactly these classes, so that its remaps are used.

    Args:
        names: Names of the classes, in any order.
        otherwise: The name of all other classes.
    """
    return next(
        (
            name
            for name in SHIPPED
            if {label.name for label in shipped_label_set(name).labels} == set(names)
        ),
        otherwise,
    )


def chosen_labels(classes: Sequence[tuple[str, bool]], chosen: LabelSet) -> LabelSet:
    """Describe a model's classes as a label set does that somebody wrote for it.

    Args:
        classes: (name, is a thing) of each class of the model, in its order.
        chosen: Describes them by name, in any order; further classes are not used.

    Raises:
        ConfigError: It lacks classes of the model; all of them are listed.
    """
    known = {label.name: label for label in chosen.labels}
    missing = [name for name, _ in classes if name not in known]
    if missing:
        raise ConfigError(
            f"label set {chosen.name!r} lacks {len(missing)} of the model's {len(classes)} "
            f"classes: {', '.join(missing)}; add them, spelt like that"
        )
    return LabelSet(
        chosen.name,
        tuple(
            replace(known[name], index=index, is_thing=is_thing)
            for index, (name, is_thing) in enumerate(classes)
        ),
    )


def thing_warning(classes: Sequence[tuple[str, bool]], chosen: LabelSet) -> str:
    """Say which classes a label set describes otherwise than the data; nothing where none.

    Args:
        classes: (name, is a thing) of each class of the model: what the data set said.
        chosen: The label set that somebody wrote for it.
    """
    known = {label.name: label.is_thing for label in chosen.labels}
    others = [name for name, is_thing in classes if known.get(name, is_thing) is not is_thing]
    if not others:
        return ""
    return (
        f"{chosen.name} says otherwise of {listed(others, 8)} than the data set whether objects "
        "are told apart (is_thing); what the data set said counts, as the network learned that"
    )


def drivable_warning(labels: LabelSet) -> str:
    """Say what to do where no class can be driven on; nothing where one can."""
    if (labels.drivable & ~labels.things).any():
        return ""
    names = listed((label.name for label in labels.labels), 8)
    return (
        f"none of the classes ({names}) is drivable, so the drivable surface stays empty; "
        "name one as the shipped label sets do, e.g. road, or give a label set with 'is_drivable: "
        "true' as --labels FILE (docs/own-classes.md)"
    )


def _color(index: int) -> tuple[int, int, int]:
    """Hues a golden angle apart, which neighbours in a list tell apart."""
    hue = np.array([[[index * 137.508 % 360.0 / 2.0, 170, 220]]], np.uint8)
    red, green, blue = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue
